import type { Importance } from '../../protocol/access-unit.ts';
import { DurationWindow } from '../../protocol/base/duration-window.ts';
import { Histogram } from '../../protocol/base/histogram.ts';
import { elapsed, type Instant, type Microseconds, milliseconds, toMilliseconds } from '../../protocol/base/units.ts';
import type { LaneFigures, PacketKind } from '../../protocol/page/lane-message.ts';
import type { PicturePlace } from './picture-numbers.ts';

/** Frames of a lane by what became of them. */
export type FrameCounts = Pick<
  LaneFigures,
  'framesOnTime' | 'framesRecovered' | 'framesLate' | 'framesMended' | 'framesLost'
>;

/** Frames whose capture time is kept: more than a minute at 60 frames per second. */
const FRAMES_MAX = 4_096;
/** W3C webrtc-stats, `freezeCount`: an interval of at least three times the mean, and at least this much above it. */
const FREEZE_ABOVE_MEAN: Microseconds = milliseconds(150);
const FREEZE_TIMES_MEAN = 3;

/** A frame that was handed over to a lane. */
export interface HandedFrame {
  readonly at: Instant;
  readonly importance: Importance;
  /** Its place in the source; `undefined` when unknown. */
  readonly picture: PicturePlace | undefined;
}

/** Counters of a lane that its receiver does not have; both ends are here, on one clock. */
export class LaneRecord {
  readonly #captured = new Map<number, HandedFrame>();
  readonly #lag = new Histogram();
  readonly #packets: Record<PacketKind, number> = { media: 0, again: 0, repair: 0, control: 0 };
  #packetsLost = 0;
  #mediaBytes = 0;
  #shownAt: Instant | undefined;
  readonly #durations = new DurationWindow();
  #freezes = 0;
  /** True from the loss of a frame that others refer to until the next whole key frame. */
  #isBroken = false;
  #damaged = 0;

  frameCaptured(frame: number, captured: HandedFrame, bytes: number): void {
    this.#captured.set(frame, captured);
    this.#mediaBytes += bytes;
    if (this.#captured.size > FRAMES_MAX) this.#captured.delete(this.#captured.keys().next().value!);
  }

  soundCaptured(bytes: number): void {
    this.#mediaBytes += bytes;
  }

  /** Returns what was handed over as a frame; `undefined` when it has expired. */
  captured(frame: number): HandedFrame | undefined {
    return this.#captured.get(frame);
  }

  packetSent(kind: PacketKind, lost: boolean): void {
    this.#packets[kind]++;
    if (lost && kind === 'media') this.#packetsLost++;
  }

  /** A packet that was sent has been lost in a queue. */
  packetLost(kind: PacketKind): void {
    if (kind === 'media') this.#packetsLost++;
  }

  /** Records the outcome of the next frame. @param decoded true when its decoder gets it, whole. */
  frameDecided(frame: number, decoded: boolean, shown: boolean): void {
    const importance = this.#captured.get(frame)?.importance;
    if (!decoded) this.#isBroken ||= importance !== 'discardable';
    else if (importance === 'key') this.#isBroken = false;
    if (shown && this.#isBroken) this.#damaged++;
  }

  frameShown(at: Instant, capturedAt: Instant): void {
    this.#lag.add(elapsed(capturedAt, at));
    if (this.#shownAt !== undefined) {
      const duration = elapsed(this.#shownAt, at);
      const mean = this.#durations.mean();
      // The first interval has no mean to exceed.
      if (duration >= Math.max(FREEZE_TIMES_MEAN * mean, mean + FREEZE_ABOVE_MEAN)) this.#freezes++;
      this.#durations.push(duration);
    }
    this.#shownAt = at;
  }

  /**
   * Returns the figures of the lane.
   * @param pathBytes bytes that entered the link towards the receiver.
   * @param unsentBytes media bytes that have not entered it yet.
   */
  figures(
    pathBytes: number,
    unsentBytes: number,
  ): Omit<LaneFigures, 'run' | 'seconds' | 'stalledForMs' | keyof FrameCounts> {
    const { p50, p95 } = this.#lag.summary;
    const sentBytes = this.#mediaBytes - unsentBytes;
    return {
      framesShown: this.#lag.count,
      framesDamaged: this.#damaged,
      packets: this.#packets.media,
      packetsLost: this.#packetsLost,
      packetsAgain: this.#packets.again,
      packetsRepair: this.#packets.repair,
      lagMsP50: p50 === undefined ? null : toMilliseconds(p50),
      lagMsP95: p95 === undefined ? null : toMilliseconds(p95),
      freezes: this.#freezes,
      mediaBytes: Math.max(0, sentBytes),
      pathBytes,
      overhead: sentBytes <= 0 ? null : pathBytes / sentBytes - 1,
    };
  }
}
