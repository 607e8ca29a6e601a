import {
  type Instant,
  instant,
  later,
  type Microseconds,
  microseconds,
  milliseconds,
} from '../../protocol/base/units.ts';

/** Packets asked for in a round trip though they are too late to be shown: a decoder gains nothing by more at once. */
const PACKETS_MAX = 64;
/** So many requests for a late packet follow each other by the round trip; further ones come at twice the interval each. */
const QUICK_ROUNDS = 4;
const INTERVAL_MAX: Microseconds = milliseconds(500);

/** How many packets that can only be decoded are asked for, and how often. */
export class LateRequests {
  #roundEndsAt: Instant = instant(Number.NEGATIVE_INFINITY);
  #left = 0;

  /** Whether one more packet may be asked for in this round trip; counts it. */
  take(now: Instant, roundTrip: Microseconds): boolean {
    if (now >= this.#roundEndsAt) {
      this.#roundEndsAt = later(now, roundTrip);
      this.#left = PACKETS_MAX;
    }
    if (this.#left === 0) return false;
    this.#left--;
    return true;
  }

  /** From a request for a packet to the next. @param rounds requests for it so far, since it is late. */
  static interval(roundTrip: Microseconds, rounds: number): Microseconds {
    return microseconds(
      Math.max(roundTrip, Math.min(INTERVAL_MAX, roundTrip * 2 ** Math.max(0, rounds - QUICK_ROUNDS))),
    );
  }
}
