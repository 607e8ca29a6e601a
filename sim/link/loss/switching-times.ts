import type { Microseconds } from '../../../protocol/base/instant.ts';
import { naturalLog } from '../../exact-mathematics.ts';
import type { RandomStream } from '../../random.ts';

export interface SwitchingTimesOptions {
  readonly random: RandomStream;
  /** Mean sojourn in each state, microseconds. */
  readonly meanGood: Microseconds;
  readonly meanBad: Microseconds;
  readonly startsBad: boolean;
  /** When the first sojourn begins, microseconds since the link began. */
  readonly from: Microseconds;
}

/**
 * When a path goes from good to bad and back, by exponential sojourns. The n-th sojourn is draw n and nothing else, so
 * the times are the seed's alone: whoever sends whatever meets the same bad times.
 */
export class SwitchingTimes {
  readonly #options: SwitchingTimesOptions;
  #sojourn = 0;
  #bad: boolean;
  #switchesAt: Microseconds;

  constructor(options: SwitchingTimesOptions) {
    this.#options = options;
    this.#bad = options.startsBad;
    this.#switchesAt = options.from + this.#length();
  }

  /** When the current sojourn ends. */
  get switchesAt(): Microseconds {
    return this.#switchesAt;
  }

  /** Whether the path is bad at a time, which does not run backwards. */
  isBad(at: Microseconds): boolean {
    while (at >= this.#switchesAt) {
      this.#bad = !this.#bad;
      this.#sojourn++;
      this.#switchesAt += this.#length();
    }
    return this.#bad;
  }

  #length(): Microseconds {
    const { random, meanBad, meanGood } = this.#options;
    const uniform = (random.uint32(this.#sojourn) + 0.5) / 0x1_0000_0000;
    return Math.max(1, Math.round(-naturalLog(uniform) * (this.#bad ? meanBad : meanGood)));
  }
}
