import { type Instant, type Microseconds, microseconds, milliseconds, seconds } from '../../protocol/base/units.ts';
import { WindowedMaximum } from '../../protocol/base/windowed-maximum.ts';

const SLOT: Microseconds = seconds(8);
const MARGIN = 1.125;
/** A packet that comes after this was no straggler, but held up with all others. */
const WAIT_MAX: Microseconds = milliseconds(100);

/** How long packets are overtaken: for so long a gap may close by itself. */
export class ReorderingEstimator {
  readonly #longest: WindowedMaximum;

  /** @param initial how long a gap is taken for reordering until the path has shown how long that takes, microseconds. */
  constructor(initial: Microseconds) {
    this.#longest = new WindowedMaximum({ slot: SLOT, initial });
  }

  /** A packet came by itself after a later one, which came at `overtakenAt`. */
  observe(now: Instant, overtakenAt: Instant): void {
    this.#longest.observe(now, Math.min(WAIT_MAX, (now - overtakenAt) * MARGIN));
  }

  /** How long to wait for one that may only have been overtaken. */
  wait(now: Instant): Microseconds {
    return microseconds(this.#longest.at(now));
  }
}
