import {
  elapsed,
  type Instant,
  instant,
  type Microseconds,
  microseconds,
  milliseconds,
} from '../../protocol/base/units.ts';
import type { Sequence } from '../../protocol/rtp/sequence.ts';

/** Packets further apart than this belong to different groups; shorter gaps are processing time of the sender. */
const GROUP_PAUSE_MIN: Microseconds = milliseconds(2);

/**
 * Departure times within the current frame. A large frame leaves in groups, and its last packets have the least time
 * left.
 */
export class FrameDeparture {
  #lastAt: Instant = instant(0);
  #pause: Microseconds = microseconds(0);
  #passesAt: Instant = instant(0);
  #hurriedFrom: Sequence | undefined;

  /** Longest gap between two packets; 0 when the frame leaves in one piece. */
  get pause(): Microseconds {
    return this.#pause;
  }

  /** Time at which the last packet leaves the bottleneck, assuming that the frame has the path to itself. */
  get passesAt(): Instant {
    return this.#passesAt;
  }

  /** First packet that leaves too late to be requested; `undefined` when there is none. */
  get hurriedFrom(): Sequence | undefined {
    return this.#hurriedFrom;
  }

  /** Called as the frame's first packet leaves. */
  begin(now: Instant): void {
    this.#pause = microseconds(0);
    this.#hurriedFrom = undefined;
    this.#lastAt = now;
    this.#passesAt = instant(Number.NEGATIVE_INFINITY);
  }

  /**
   * @param terms.askableUntil latest departure of a packet that can be requested in time; `spacing` is the
   * serialization time of a packet at the bottleneck.
   */
  onPacket(now: Instant, sequence: Sequence, terms: { askableUntil: Instant; spacing: Microseconds }): void {
    const pause = elapsed(this.#lastAt, now);
    if (pause >= GROUP_PAUSE_MIN && pause > this.#pause) this.#pause = pause;
    this.#passesAt = instant(Math.max(now, this.#passesAt + terms.spacing));
    if (this.#passesAt >= terms.askableUntil) this.#hurriedFrom ??= sequence;
    this.#lastAt = now;
  }
}
