import { type Instant, type Microseconds, microseconds, milliseconds, seconds } from '../../protocol/base/units.ts';
import { WindowedMaximum } from '../../protocol/base/windowed-maximum.ts';

const SLOT: Microseconds = seconds(8);
const MARGIN = 1.125;
/** A packet later than this was not reordered but delayed together with others. */
const WAIT_MAX: Microseconds = milliseconds(100);

/** Estimates the reordering delay: the time in which a gap may close by itself. */
export class ReorderingEstimator {
  readonly #longest: WindowedMaximum;

  /** @param initial reorder wait until reordering has been observed, microseconds. */
  constructor(initial: Microseconds) {
    this.#longest = new WindowedMaximum({ slot: SLOT, initial });
  }

  /** Records a packet that arrived by itself after a later one, which arrived at `overtakenAt`. */
  observe(now: Instant, overtakenAt: Instant): void {
    this.#longest.observe(now, Math.min(WAIT_MAX, (now - overtakenAt) * MARGIN));
  }

  /** Returns the time to wait for a packet that may be reordered. */
  wait(now: Instant): Microseconds {
    return microseconds(this.#longest.at(now));
  }
}
