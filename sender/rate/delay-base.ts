import { type Instant, type Microseconds, microseconds } from '../../protocol/base/units.ts';
import { WindowedMaximum } from '../../protocol/base/windowed-maximum.ts';

/** Smallest value over the current and the previous period: the delay of a path without its queue. */
export class DelayBase {
  readonly #period: Microseconds;
  #negated: WindowedMaximum;
  #value = Number.POSITIVE_INFINITY;

  /** @param period the smallest value is remembered for one to two periods, and through any silence. */
  constructor(period: Microseconds) {
    this.#period = period;
    this.#negated = this.#empty();
  }

  /** Smallest recent value; ∞ before the first. */
  get value(): Microseconds {
    return microseconds(this.#value);
  }

  observe(now: Instant, delay: Microseconds): void {
    this.#negated.observe(now, -delay);
    this.#value = -this.#negated.at(now);
  }

  /** Forgets everything before this value. */
  restart(now: Instant, delay: Microseconds): void {
    this.#negated = this.#empty();
    this.observe(now, delay);
  }

  #empty(): WindowedMaximum {
    return new WindowedMaximum({ slot: this.#period, least: Number.NEGATIVE_INFINITY, outlastsSilence: true });
  }
}
