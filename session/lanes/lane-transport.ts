import type { AccessUnit } from '../../protocol/access-unit.ts';
import type { Instant } from '../../protocol/base/instant.ts';
import type { FrameClass } from '../../protocol/frame-class.ts';
import type { LaneFigures, LaneSettings } from '../../protocol/page/lane-message.ts';
import type { Link } from '../../sim/link/link.ts';
import type { Path } from '../../sim/simulation.ts';
import type { LaneCapture } from './lane-capture.ts';
import type { LaneJournal } from './lane-journal.ts';
import type { LanePath } from './lane-path.ts';
import type { LaneRecord } from './lane-record.ts';

export interface LaneTransportOptions {
  readonly settings: LaneSettings;
  readonly forward: Link;
  readonly back: Path;
  /** Takes note of what crosses the path. */
  readonly capture: LaneCapture;
  /** The path's own delay as it is now, microseconds: what a frame's deadline is counted above. */
  readonly pathDelay: () => number;
  readonly seed: number;
  readonly journal: LaneJournal;
  readonly record: LaneRecord;
  readonly show: (unit: AccessUnit, frame: number) => void;
}

export type FrameCounts = Pick<LaneFigures, 'framesOnTime' | 'framesRecovered' | 'framesLate' | 'framesLost'>;

/** Both ends of a lane and the path between them, on a clock that is moved from outside. */
export interface LaneTransport {
  readonly path: LanePath;
  /** The connection is gone and brings nothing any more. */
  readonly failed: boolean;
  readonly frames: FrameCounts;
  /** Of the media that was taken, what has not entered the path yet. */
  readonly unsentBytes: number;
  /** For how long the next frame has been overdue where frames are waited for, microseconds. */
  stalledFor(now: Instant): number;
  /** @returns whether the frame was taken; a stream goes on from the next key frame where it was not. */
  send(now: Instant, unit: AccessUnit): boolean;
  runUntil(now: Instant): void;
}

/** A frame is done with: it was shown, or given up. */
export function decide(
  { journal, record }: Pick<LaneTransportOptions, 'journal' | 'record'>,
  frame: number,
  fate: FrameClass,
  times: { readonly completeAt: Instant | undefined; readonly decidedAt: Instant },
): void {
  const capturedAt = record.capturedAt(frame);
  if (capturedAt === undefined) return;
  journal.frameDecided(frame, { capturedAt, ...times }, fate);
  if (fate === 'onTime' || fate === 'recovered' || fate === 'late') record.frameShown(times.decidedAt, capturedAt);
}

export function payloadBytes(unit: AccessUnit): number {
  return unit.parts.reduce((sum, { length }) => sum + length, 0);
}
