import type { Instant, Microseconds } from '../protocol/instant.ts';
import type { Sequence } from '../protocol/sequence.ts';

/** Long enough to hold some hundred packets of video, short enough to notice a queue before it costs a picture. */
const WINDOW: Microseconds = 300_000;
const PACKETS_MIN = 16;

/** What the last third of a second says of a path that carries no more: what it lost, and how long its queue was. */
export class PathLoad {
  #startedAt: Instant | undefined;
  /** The newest packet before the window, and of it. */
  #before: Sequence | undefined;
  #newest: Sequence = Number.NEGATIVE_INFINITY;
  #packets = 0;
  #lateness: Microseconds = Number.POSITIVE_INFINITY;
  #loss = 0;
  #queueing: Microseconds = 0;

  /** The share of packets lost, 0 … 1. */
  get loss(): number {
    return this.#loss;
  }

  /** By how much the least delayed packet came later than on the fastest path seen: a standing queue. */
  get queueing(): Microseconds {
    return this.#queueing;
  }

  /** A packet that was sent once came, so much later than on the fastest path seen. */
  onPacket(now: Instant, sequence: Sequence, lateness: Microseconds): void {
    this.#startedAt ??= now;
    this.#before ??= sequence - 1;
    if (sequence > this.#newest) this.#newest = sequence;
    this.#packets++;
    this.#lateness = Math.min(this.#lateness, lateness);
    if (now - this.#startedAt < WINDOW || this.#packets < PACKETS_MIN) return;
    // One that was overtaken at the end of a window is made up for in the next.
    const sent = this.#newest - this.#before;
    this.#loss = Math.max(0, 1 - this.#packets / Math.max(1, sent));
    this.#queueing = Math.max(0, this.#lateness);
    this.#startedAt = now;
    this.#before = this.#newest;
    this.#packets = 0;
    this.#lateness = Number.POSITIVE_INFINITY;
  }
}
