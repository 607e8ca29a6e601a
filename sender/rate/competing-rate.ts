import { integerCubeRoot } from '../../protocol/base/cube-root.ts';
import { elapsed, type Instant, instant, type Microseconds, SECOND, seconds } from '../../protocol/base/units.ts';

/** Bytes of a TCP segment on Ethernet, in which the window is counted. */
const SEGMENT_BYTES = 1_448;
/** C and β of CUBIC (RFC 9438 §4.1, §4.6), and the growth of its Reno-friendly estimate, segments a round trip (§4.3). */
const CUBIC_C = 0.4;
const CUBIC_BETA = 0.7;
/** Unit of cube roots: a thousandth of a second. */
const ROOT_UNIT = 1_000;
const RENO_GROWTH = (3 * (1 - CUBIC_BETA)) / (1 + CUBIC_BETA);
/** Share of the bottleneck above which nothing is added: beside a single competitor, half of it is fair. */
const SHARE_MAX = 0.5;
/** A window is taken up again after a pause of this length, in which its competitor let the queue run empty. */
const KEPT_FOR: Microseconds = seconds(10);

/** Knowledge of the path with which a competing flow grows. */
export interface CompetingTerms {
  /** Round trip, queue included. */
  readonly roundTrip: Microseconds;
  /** Capacity of the bottleneck, bytes per second. */
  readonly capacity: number;
}

/**
 * Rate of a flow that shares a queue with TCP: the rate of a connection with CUBIC's window (RFC 9438) and this round
 * trip, but not more than half of the bottleneck.
 */
export class CompetingRate {
  /** Segments. */
  #window = 0;
  #windowMax = 0;
  #epochAt: Instant | undefined;
  #epochWindow = 0;
  #reducedAt: Instant = instant(Number.NEGATIVE_INFINITY);
  #usedAt: Instant = instant(Number.NEGATIVE_INFINITY);

  /** Begins, or goes on after a pause, at no less than this rate. */
  begin(now: Instant, rate: number, { roundTrip }: CompetingTerms): void {
    const window = (rate * roundTrip) / SECOND / SEGMENT_BYTES;
    const kept = elapsed(this.#usedAt, now) < KEPT_FOR ? this.#window : 0;
    this.#window = Math.max(kept, window);
    if (kept < window) this.#windowMax = this.#window;
    this.#epochAt = undefined;
  }

  /** Loss of at least one datagram. Losses within a round trip count once. */
  onLoss(now: Instant, roundTrip: Microseconds): void {
    if (now - this.#reducedAt < roundTrip) return;
    this.#reducedAt = now;
    this.#windowMax = this.#window;
    this.#window *= CUBIC_BETA;
    this.#epochAt = undefined;
  }

  /** Grows the window. @returns the rate, bytes per second. */
  rate(now: Instant, { roundTrip, capacity }: CompetingTerms): number {
    if (this.#epochAt === undefined) {
      this.#epochAt = now;
      this.#epochWindow = this.#window;
    }
    this.#usedAt = now;
    const time = elapsed(this.#epochAt, now) / SECOND;
    const below = Math.max(0, this.#windowMax - this.#epochWindow);
    const flat = integerCubeRoot((below / CUBIC_C) * ROOT_UNIT ** 3) / ROOT_UNIT;
    const cubic = CUBIC_C * (time - flat) ** 3 + this.#windowMax;
    const reno = this.#epochWindow + (RENO_GROWTH * time * SECOND) / roundTrip;
    const most = (capacity * SHARE_MAX * roundTrip) / SECOND / SEGMENT_BYTES;
    const wanted = Math.max(cubic, reno);
    if (wanted > most) {
      // Growth that is not used does not add up.
      this.#epochAt = undefined;
      this.#windowMax = Math.max(this.#window, most);
    }
    this.#window = Math.max(1, Math.min(wanted, Math.max(most, 1)));
    return (this.#window * SEGMENT_BYTES * SECOND) / roundTrip;
  }
}
