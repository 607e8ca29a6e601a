import { type Instant, instant, later, type Microseconds, microseconds } from '../../protocol/base/units.ts';

/** Smallest value over the current and the previous period: the delay of a path without its queue. */
export class DelayBase {
  readonly #period: Microseconds;
  #endsAt: Instant = instant(Number.NEGATIVE_INFINITY);
  #before = Number.POSITIVE_INFINITY;
  #current = Number.POSITIVE_INFINITY;

  /** @param period the smallest value is remembered for one to two periods. */
  constructor(period: Microseconds) {
    this.#period = period;
  }

  /** Smallest recent value; ∞ before the first. */
  get value(): Microseconds {
    return microseconds(Math.min(this.#before, this.#current));
  }

  observe(now: Instant, delay: Microseconds): void {
    if (now >= this.#endsAt) {
      this.#before = this.#current;
      this.#current = Number.POSITIVE_INFINITY;
      this.#endsAt = later(now, this.#period);
    }
    if (delay < this.#current) this.#current = delay;
  }

  /** Forgets everything before this value. */
  restart(delay: Microseconds): void {
    this.#before = Number.POSITIVE_INFINITY;
    this.#current = delay;
  }
}
