import type { SoundDescription } from '../../io/sources/media-source.ts';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import type { Instant, Microseconds } from '../../protocol/base/units.ts';
import type { FrameClass } from '../../protocol/frame-class.ts';
import type { LaneSettings } from '../../protocol/page/lane-message.ts';
import type { Link } from '../../sim/link/link.ts';
import type { Path } from '../../sim/simulation.ts';
import type { LaneCapture } from './lane-capture.ts';
import type { LaneJournal } from './lane-journal.ts';
import type { LanePath } from './lane-path.ts';
import type { FrameCounts, LaneRecord } from './lane-record.ts';
import type { LaneSoundRecord } from './lane-sound-record.ts';
import type { PicturePlace } from './picture-numbers.ts';

export interface LaneTransportOptions {
  readonly settings: LaneSettings;
  readonly forward: Link;
  readonly back: Path;
  /** Records the traffic of the path. */
  readonly capture: LaneCapture;
  /** Delay of the path at present, microseconds; frame deadlines are relative to it. */
  readonly pathDelay: () => number;
  readonly seed: number;
  readonly journal: LaneJournal;
  readonly record: LaneRecord;
  readonly show: (unit: AccessUnit, frame: number) => void;
  /** Sound beside the pictures; `undefined` without. */
  readonly sound: LaneSoundOptions | undefined;
  /** Called when nothing can be decoded without a key frame; of interest to a source that makes one. */
  readonly requestKeyFrame: () => void;
}

export interface LaneSoundOptions {
  readonly description: SoundDescription;
  readonly record: LaneSoundRecord;
  /** Takes a unit when it is to be heard. */
  readonly play: (unit: AccessUnit, number: number) => void;
}

/** Both ends of a lane and the path between them, on a clock controlled by the caller. */
export interface LaneTransport {
  readonly path: LanePath;
  /** True when the connection has failed and delivers nothing more. */
  readonly failed: boolean;
  readonly frames: FrameCounts;
  /** Accepted media bytes that have not entered the path yet. */
  readonly unsentBytes: number;
  /** Bit rate of the video that the path carries, bits per second; `undefined` while unknown. */
  readonly targetBitrate?: number | undefined;
  /** How long the next frame has been overdue, on a transport that waits for frames, microseconds. */
  stalledFor(now: Instant): Microseconds;
  /**
   * @param picture its place in the source.
   * @returns true when the frame was accepted. After a refusal the stream resumes at the next key frame.
   */
  send(now: Instant, unit: AccessUnit, picture: PicturePlace | undefined): boolean;
  /** Sends a unit of the sound; only for a lane with sound. */
  sendSound(now: Instant, unit: AccessUnit): void;
  runUntil(now: Instant): void;
}

/** Records the final outcome of a frame. */
export function decide(
  { journal, record }: Pick<LaneTransportOptions, 'journal' | 'record'>,
  frame: number,
  frameClass: FrameClass,
  times: { readonly completeAt: Instant | undefined; readonly decidedAt: Instant },
): void {
  const captured = record.captured(frame);
  if (captured === undefined) return;
  journal.frameDecided(frame, captured, times, frameClass);
  const shown = frameClass === 'onTime' || frameClass === 'recovered' || frameClass === 'late';
  record.frameDecided(frame, shown || frameClass === 'mended', shown);
  if (shown) record.frameShown(times.decidedAt, captured.at);
}

export function payloadBytes(unit: AccessUnit): number {
  return unit.parts.reduce((sum, { length }) => sum + length, 0);
}
