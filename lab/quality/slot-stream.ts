import { FragmentedMp4Writer } from '../../io/mp4/fragmented-mp4-writer.ts';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { assert } from '../../protocol/base/assert.ts';
import { CLOCK_RATE, type Ticks, ticks } from '../../protocol/base/units.ts';
import { DEFAULT_CODEC } from '../../protocol/codec/codecs.ts';
import type { DecodedPicture } from './slot-plan.ts';

/** Codec of the sources of a laboratory (`io/sources/`). */
const CODEC = DEFAULT_CODEC;

/**
 * Ticks between slots in the files for ffmpeg. Pictures overtaken before display lie between two slots, one tick apart.
 */
const SLOT_TICKS: Ticks = ticks(3_000);

/** Slots per second in those files, whatever the frame rate: slots are counted, not timed. */
export const SLOT_RATE = CLOCK_RATE / SLOT_TICKS;

/** A file for ffmpeg in which each picture's timestamp is the slot from which it is shown. */
export interface SlotStream {
  readonly file: Uint8Array;
  /** Offset of the file's time 0 relative to slot 0, ticks. */
  readonly origin: Ticks;
}

/** Decoder settings common to all streams of a source. */
export interface PictureFormat {
  readonly width: number;
  readonly height: number;
  readonly parameterSets: readonly Uint8Array[];
}

/** @returns `undefined` when the stream has no valid parameter sets. */
export function pictureFormat(units: readonly AccessUnit[]): PictureFormat | undefined {
  for (const { parts } of units) {
    const parameterSets = CODEC.parameterSetsOf(parts);
    const format = CODEC.describe(parameterSets);
    if (format) return { width: format.width, height: format.height, parameterSets };
  }
  return undefined;
}

/** @param decoded at least one picture. @param units all units of the source, by row. */
export function slotStream(
  decoded: readonly DecodedPicture[],
  units: readonly AccessUnit[],
  format: PictureFormat,
): SlotStream {
  const shownAt = presentationTimes(decoded);
  const pictures = decoded.map(({ row, slot }, index): AccessUnit => {
    const { parts, importance } = units[row]!;
    // Decode timestamps one tick apart, so each picture is decoded before it is shown.
    return { parts, importance, timestamp: shownAt.get(slot)!, decodeTimestamp: ticks(index) };
  });
  const { width, height, parameterSets } = format;
  const configuration = CODEC.mp4?.configuration(parameterSets);
  assert(configuration !== undefined, 'a format that could be described must have parameter sets');
  const writer = new FragmentedMp4Writer(CODEC, { width, height, configuration, parameterSets });
  const file = Buffer.concat([writer.header(), writer.fragment(pictures, ticks(pictures.length))]);
  return { file, origin: pictures[0]!.timestamp };
}

/** Presentation time of each picture: at its slot; overtaken pictures precede it by one tick each. */
function presentationTimes(decoded: readonly DecodedPicture[]): ReadonlyMap<number, Ticks> {
  const latestFirst = [...decoded].sort((one, other) => other.slot - one.slot);
  const shownAt = new Map<number, Ticks>();
  let following = ticks(Number.POSITIVE_INFINITY);
  for (const { slot, shownFrom } of latestFirst) {
    following = ticks(Math.min(shownFrom * SLOT_TICKS, following - 1));
    shownAt.set(slot, following);
  }
  return shownAt;
}
