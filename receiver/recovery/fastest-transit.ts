import { type Instant, type Microseconds, microseconds, seconds } from '../../protocol/base/units.ts';
import { WindowedMaximum } from '../../protocol/base/windowed-maximum.ts';

/** Memory, effectively up to twice as long, so that a standing queue does not pass for the path. */
const MEMORY: Microseconds = seconds(15);

/** Shortest recent transit, from which queueing delay is measured. */
export class FastestTransit {
  /** Of transits with their sign changed. A silence does not make the path longer. */
  readonly #longest = new WindowedMaximum({ slot: MEMORY, least: Number.NEGATIVE_INFINITY, outlastsSilence: true });

  /** Records a transit. @returns the shortest one, this one included. */
  observe(now: Instant, transit: Microseconds): Microseconds {
    this.#longest.observe(now, -transit);
    return microseconds(-this.#longest.at(now));
  }
}
