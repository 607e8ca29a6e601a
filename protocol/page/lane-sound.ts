import { malformed, type Parsed, parsed } from '../base/parsed.ts';
import { LANE_OFFSET, LANES_MAX, RUN_OFFSET } from './lane-message.ts';
import type { PageSound } from './page-message.ts';
import { readPicture, writeBlock } from './picture-bytes.ts';

/**
 * A coded frame of a lane's sound, sent to the page when the lane's receiver releases it: a binary message in the form of
 * `picture-bytes.ts`, version 4, with one coded frame instead of Annex B, and its duration as the time.
 */
export interface LaneSound extends PageSound {
  /** 0…3. */
  readonly lane: number;
  /** Run of the lane, modulo 256. */
  readonly run: number;
}

const VERSION = 4;

export function serializeLaneSound({ lane, run, number, timestamp, durationMs, payload }: LaneSound): Uint8Array {
  const message = writeBlock(VERSION, { number, key: true, timestamp, timeMs: durationMs }, payload);
  message[LANE_OFFSET] = lane;
  message[RUN_OFFSET] = run;
  return message;
}

/** True for a message that `parseLaneSound` reads. */
export const isLaneSound = (message: Uint8Array): boolean => message[0] === VERSION;

/** The result's bytes are a view of `message`. */
export function parseLaneSound(message: Uint8Array): Parsed<LaneSound> {
  const read = readPicture(VERSION, message);
  if (!read.ok) return read;
  const { number, timestamp, timeMs: durationMs, data: payload } = read.value;
  const lane = message[LANE_OFFSET] ?? 0;
  if (lane >= LANES_MAX) return malformed('no-such-lane');
  if (durationMs <= 0) return malformed('bad-duration');
  return parsed({ lane, run: message[RUN_OFFSET] ?? 0, number, timestamp, durationMs, payload });
}
