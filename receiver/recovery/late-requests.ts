import {
  type Instant,
  instant,
  later,
  type Microseconds,
  microseconds,
  milliseconds,
} from '../../protocol/base/units.ts';

/** Maximum packets per round trip requested for the decoder only; it does not benefit from more at once. */
const PACKETS_MAX = 64;
/** Requests for a late packet at an interval of one round trip; the interval doubles for each further one. */
const QUICK_ROUNDS = 4;
const INTERVAL_MAX: Microseconds = milliseconds(500);

/** Limits the number and the rate of requests for packets that serve the decoder only. */
export class LateRequests {
  #roundEndsAt: Instant = instant(Number.NEGATIVE_INFINITY);
  #left = 0;

  /** Returns true, and counts it, when one more packet may be requested in this round trip. */
  take(now: Instant, roundTrip: Microseconds): boolean {
    if (now >= this.#roundEndsAt) {
      this.#roundEndsAt = later(now, roundTrip);
      this.#left = PACKETS_MAX;
    }
    if (this.#left === 0) return false;
    this.#left--;
    return true;
  }

  /** Interval between requests for a packet. @param rounds requests for it so far since it became late. */
  static interval(roundTrip: Microseconds, rounds: number): Microseconds {
    return microseconds(
      Math.max(roundTrip, Math.min(INTERVAL_MAX, roundTrip * 2 ** Math.max(0, rounds - QUICK_ROUNDS))),
    );
  }
}
