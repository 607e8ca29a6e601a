import { RateBudget } from '../../protocol/base/rate-budget.ts';
import { type Instant, instant, type Microseconds, milliseconds } from '../../protocol/base/units.ts';

/**
 * Shortest time between two key frames. A request within it is answered at its end: the key frame before may already be
 * on the way to the receiver that asks (RFC 5104 §4.3.1.2 asks to wait a round trip; this is one of a long path).
 */
const INTERVAL_MIN: Microseconds = milliseconds(200);
/** Limit of answered requests per receiver, so that endless requests of one do not degrade the picture of all. */
const PER_SECOND = 0.5;
const BURST = 5;

/** Decides when a key frame is made for the receivers that request one. */
export class KeyFrameRequests {
  readonly #budgets = new WeakMap<object, RateBudget>();
  #madeAt: Instant = instant(Number.NEGATIVE_INFINITY);
  #pending = false;
  #refused = 0;

  /** Requests not answered because their receiver requests too often. */
  get refused(): number {
    return this.#refused;
  }

  /** @param receiver identifies the requesting receiver. */
  request(now: Instant, receiver: object): void {
    let budget = this.#budgets.get(receiver);
    if (budget === undefined) {
      budget = new RateBudget({ perSecond: PER_SECOND, burst: BURST });
      this.#budgets.set(receiver, budget);
    }
    // A request answered together with those of others costs nothing.
    if (!this.#pending && !budget.spend(now, 1)) this.#refused++;
    else this.#pending = true;
  }

  /** Returns true when the next frame must be a key frame. */
  take(now: Instant): boolean {
    if (!this.#pending || now - this.#madeAt < INTERVAL_MIN) return false;
    this.#pending = false;
    this.#madeAt = now;
    return true;
  }
}
