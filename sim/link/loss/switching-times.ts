import { type Microseconds, microseconds } from '../../../protocol/base/units.ts';
import { naturalLog } from '../../exact-mathematics.ts';
import type { RandomStream } from '../../random.ts';

export interface SwitchingTimesOptions {
  readonly random: RandomStream;
  /** Mean sojourn time in each state, microseconds. */
  readonly meanGood: Microseconds;
  readonly meanBad: Microseconds;
  readonly startsBad: boolean;
  /** Start of the first sojourn, microseconds since the link began. */
  readonly from: Microseconds;
}

/**
 * Times at which a path switches between good and bad, with exponential sojourn times. The n-th sojourn uses draw n
 * only, so the times depend on the seed alone and not on the traffic.
 */
export class SwitchingTimes {
  readonly #options: SwitchingTimesOptions;
  #sojourn = 0;
  #bad: boolean;
  #switchesAt: Microseconds;

  constructor(options: SwitchingTimesOptions) {
    this.#options = options;
    this.#bad = options.startsBad;
    this.#switchesAt = microseconds(options.from + this.#length());
  }

  /** End of the current sojourn, microseconds since the link began. */
  get switchesAt(): Microseconds {
    return this.#switchesAt;
  }

  /** True when the path is in the bad state at `at`, which must not decrease. */
  isBad(at: Microseconds): boolean {
    while (at >= this.#switchesAt) {
      this.#bad = !this.#bad;
      this.#sojourn++;
      this.#switchesAt = microseconds(this.#switchesAt + this.#length());
    }
    return this.#bad;
  }

  #length(): Microseconds {
    const { random, meanBad, meanGood } = this.#options;
    const uniform = (random.uint32(this.#sojourn) + 0.5) / 0x1_0000_0000;
    return microseconds(Math.max(1, Math.round(-naturalLog(uniform) * (this.#bad ? meanBad : meanGood))));
  }
}
