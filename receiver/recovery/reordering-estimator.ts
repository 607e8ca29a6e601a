import { type Instant, type Microseconds, microseconds, milliseconds, seconds } from '../../protocol/base/units.ts';
import { WindowedMaximum } from '../../protocol/base/windowed-maximum.ts';

const SLOT: Microseconds = seconds(8);
const MARGIN = 1.125;
/** A packet later than this was not reordered but delayed together with others. */
const WAIT_MAX: Microseconds = milliseconds(100);
/** Width of a class of the distribution. */
const CLASS: Microseconds = milliseconds(1);
/** Number of stragglers after which the earlier ones count for half. */
const HALVED_AFTER = 1_024;

/** Estimates the reordering delay: the time in which a gap may close by itself. */
export class ReorderingEstimator {
  readonly #longest: WindowedMaximum;
  /** Number of stragglers by the time after which they came, in classes. */
  readonly #delays = new Float64Array(WAIT_MAX / CLASS + 1);
  #count = 0;

  /** @param initial reorder wait until reordering has been observed, microseconds. */
  constructor(initial: Microseconds) {
    this.#longest = new WindowedMaximum({ slot: SLOT, initial });
  }

  /** Records a packet that arrived by itself after a later one, which arrived at `overtakenAt`. */
  observe(now: Instant, overtakenAt: Instant): void {
    const delay = Math.min(WAIT_MAX, now - overtakenAt);
    this.#longest.observe(now, Math.min(WAIT_MAX, delay * MARGIN));
    this.#delays[Math.floor(delay / CLASS)]!++;
    if (++this.#count < HALVED_AFTER) return;
    this.#count /= 2;
    for (const [index, number] of this.#delays.entries()) this.#delays[index] = number / 2;
  }

  /** Returns the time to wait for a packet that may be reordered. */
  wait(now: Instant): Microseconds {
    return microseconds(this.#longest.at(now));
  }

  /** Returns the shortest wait after which at most this share of the reordered packets is still to come. */
  waitForAllBut(share: number): Microseconds {
    let left = this.#count;
    let index = 0;
    while (index < this.#delays.length && left > share * this.#count) left -= this.#delays[index++]!;
    return microseconds(index * CLASS);
  }
}
