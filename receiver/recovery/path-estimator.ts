import { type Instant, type Microseconds, microseconds, milliseconds } from '../../protocol/base/units.ts';
import { asSequence, type Sequence } from '../../protocol/rtp/sequence.ts';
import { FastestTransit } from './fastest-transit.ts';

/** Long enough for some hundred packets of video, short enough to detect a queue before it costs a picture. */
const WINDOW: Microseconds = milliseconds(300);
const PACKETS_MIN = 16;
/** Recent loss and queueing delay, over the last third of a second. */
export class PathEstimator {
  #startedAt: Instant | undefined;
  /** Newest packet before the window, and newest packet in it. */
  #before: Sequence | undefined;
  #newest: Sequence = asSequence(Number.NEGATIVE_INFINITY);
  #packets = 0;
  #transit: Microseconds = microseconds(Number.POSITIVE_INFINITY);
  readonly #fastest = new FastestTransit();
  #loss = 0;
  #queueing: Microseconds = microseconds(0);

  /** Share of packets lost, 0 … 1. */
  get loss(): number {
    return this.#loss;
  }

  /** Standing queue: minimum transit in the window minus the fastest transit seen. */
  get queueing(): Microseconds {
    return this.#queueing;
  }

  /** Records a packet that was sent once; `transit` is arrival minus media time, on any clocks. */
  onPacket(now: Instant, sequence: Sequence, transit: Microseconds): void {
    this.#startedAt ??= now;
    this.#before ??= asSequence(sequence - 1);
    if (sequence > this.#newest) this.#newest = sequence;
    this.#packets++;
    if (transit < this.#transit) this.#transit = transit;
    if (now - this.#startedAt < WINDOW || this.#packets < PACKETS_MIN) return;
    // A packet reordered across the end of a window counts in the next.
    const sent = this.#newest - this.#before;
    this.#loss = Math.max(0, 1 - this.#packets / Math.max(1, sent));
    this.#queueing = microseconds(this.#transit - this.#fastest.observe(now, this.#transit));
    this.#startedAt = now;
    this.#before = this.#newest;
    this.#packets = 0;
    this.#transit = microseconds(Number.POSITIVE_INFINITY);
  }
}
