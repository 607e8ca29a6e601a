import {
  type Instant,
  later,
  type Microseconds,
  microseconds,
  milliseconds,
  seconds,
} from '../../protocol/base/units.ts';
import { asSequence, type Sequence } from '../../protocol/rtp/sequence.ts';

/** Long enough to hold some hundred packets of video, short enough to notice a queue before it costs a picture. */
const WINDOW: Microseconds = milliseconds(300);
const PACKETS_MIN = 16;
/** How long the fastest packet is remembered, and up to twice as long: a queue that stands does not become the path. */
const FASTEST_MEMORY: Microseconds = seconds(15);

/** What the last third of a second says of a path that carries no more: what it lost, and how long its queue was. */
export class PathEstimator {
  #startedAt: Instant | undefined;
  /** The newest packet before the window, and of it. */
  #before: Sequence | undefined;
  #newest: Sequence = asSequence(Number.NEGATIVE_INFINITY);
  #packets = 0;
  #transit: Microseconds = microseconds(Number.POSITIVE_INFINITY);
  /** The least transit of the stretch that runs, and of the one before it. */
  #fastest: Microseconds = microseconds(Number.POSITIVE_INFINITY);
  #fastestBefore: Microseconds = microseconds(Number.POSITIVE_INFINITY);
  #stretchEndsAt: Instant | undefined;
  #loss = 0;
  #queueing: Microseconds = microseconds(0);

  /** The share of packets lost, 0 … 1. */
  get loss(): number {
    return this.#loss;
  }

  /** By how much the least delayed packet came later than on the fastest path seen: a standing queue. */
  get queueing(): Microseconds {
    return this.#queueing;
  }

  /** A packet that was sent once came; `transit` from its media time to now, by whatever clocks. */
  onPacket(now: Instant, sequence: Sequence, transit: Microseconds): void {
    this.#startedAt ??= now;
    this.#before ??= asSequence(sequence - 1);
    if (sequence > this.#newest) this.#newest = sequence;
    this.#packets++;
    if (transit < this.#transit) this.#transit = transit;
    if (now - this.#startedAt < WINDOW || this.#packets < PACKETS_MIN) return;
    // One that was overtaken at the end of a window is made up for in the next.
    const sent = this.#newest - this.#before;
    this.#loss = Math.max(0, 1 - this.#packets / Math.max(1, sent));
    this.#queueing = microseconds(this.#transit - this.#fastestOf(now, this.#transit));
    this.#startedAt = now;
    this.#before = this.#newest;
    this.#packets = 0;
    this.#transit = microseconds(Number.POSITIVE_INFINITY);
  }

  #fastestOf(now: Instant, transit: Microseconds): Microseconds {
    this.#stretchEndsAt ??= later(now, FASTEST_MEMORY);
    if (now >= this.#stretchEndsAt) {
      this.#fastestBefore = this.#fastest;
      this.#fastest = microseconds(Number.POSITIVE_INFINITY);
      this.#stretchEndsAt = later(now, FASTEST_MEMORY);
    }
    this.#fastest = microseconds(Math.min(this.#fastest, transit));
    return microseconds(Math.min(this.#fastest, this.#fastestBefore));
  }
}
