import type { LinkSpecification } from './link-specification.ts';
import { RandomStream } from './random.ts';

/**
 * Which datagrams a path loses, by their number on it.
 *
 * Independent losses, or Gilbert's two-state chain (Gilbert 1960): every datagram in the bad state is lost, the mean
 * run is 1/r datagrams, and p = loss·r/(1 − loss) makes the stationary share exactly `loss`.
 */
export class LossProcess {
  readonly #random: RandomStream;
  readonly #loss: number;
  readonly #enterBad: number;
  readonly #leaveBad: number;
  #index = 0;
  #bad: boolean;

  constructor(link: LinkSpecification, direction: string) {
    this.#random = new RandomStream(link.seed, `${direction}/loss`);
    this.#loss = link.loss;
    const gilbert = link.burst * (1 - link.loss) > 1;
    this.#leaveBad = gilbert ? 1 / link.burst : 1 - link.loss;
    this.#enterBad = gilbert ? (link.loss * this.#leaveBad) / (1 - link.loss) : link.loss;
    // The chain starts in its stationary state, so that short runs are not biased towards no loss.
    this.#bad = new RandomStream(link.seed, `${direction}/loss-start`).chance(0, link.loss);
  }

  /** The fate of the next datagram: true, it is lost. */
  next(): boolean {
    const index = this.#index++;
    if (this.#loss === 0) return false;
    if (index > 0) this.#bad = this.#random.chance(index, this.#bad ? 1 - this.#leaveBad : this.#enterBad);
    return this.#bad;
  }
}
