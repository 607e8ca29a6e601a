import type { Instant, Microseconds } from '../../protocol/instant.ts';
import { normalTable, paretoTable, type QuantileTable } from '../quantile-table.ts';
import { RandomStream } from '../random.ts';

/**
 * How a jitter J spreads the delay T: `uniform` over T … T + J; `symmetric`, as netem's default, uniformly over
 * T − J … T + J; `normal` and `pareto` with the mean T and the deviation J. What would come before it left comes at once.
 */
export type JitterDistribution = 'uniform' | 'symmetric' | 'normal' | 'pareto';

export interface PropagationOptions {
  readonly delay: Microseconds;
  readonly jitter: Microseconds;
  readonly jitterDistribution?: JitterDistribution;
  /** Whether `jitter` may put datagrams out of order, or holds back what would overtake. */
  readonly order: 'free' | 'kept';
  /** Jitter as of a queue, uniform in 0 … fifoJitter: what is delayed delays what is behind it. */
  readonly fifoJitter?: Microseconds;
}

/** The way behind the bottleneck: how long each datagram is under way. */
export class Propagation {
  readonly #jitterDraws: RandomStream;
  readonly #fifoDraws: RandomStream;
  #options: PropagationOptions;
  #table: QuantileTable | undefined;
  #lastAt: Instant = 0;
  #lastFifoAt: Instant = 0;

  constructor(options: PropagationOptions, seed: number, direction: string) {
    this.#jitterDraws = new RandomStream(seed, `${direction}/jitter`);
    this.#fifoDraws = new RandomStream(seed, `${direction}/fifo-jitter`);
    this.#options = options;
    this.reconfigure(options);
  }

  reconfigure(options: PropagationOptions): void {
    this.#options = options;
    const { jitterDistribution } = options;
    this.#table = undefined;
    if (jitterDistribution === 'normal') this.#table = normalTable();
    if (jitterDistribution === 'pareto') this.#table = paretoTable();
  }

  /** When what left the bottleneck at `leavesAt` arrives; `draw` numbers what is carried. */
  arrives(leavesAt: Instant, draw: number): Instant {
    const { delay, jitter, order, fifoJitter } = this.#options;
    let from = leavesAt;
    if (fifoJitter !== undefined) {
      from += Math.round((this.#fifoDraws.uint32(draw) * fifoJitter) / 0x1_0000_0000);
      if (from < this.#lastFifoAt) from = this.#lastFifoAt;
      this.#lastFifoAt = from;
    }
    let at = from + Math.round(jitter > 0 ? this.#delayed(draw, delay, jitter) : delay);
    if (order === 'kept') at = Math.max(at, this.#lastAt);
    this.#lastAt = at;
    return at;
  }

  #delayed(draw: number, delay: Microseconds, jitter: Microseconds): Microseconds {
    const uint32 = this.#jitterDraws.uint32(draw);
    if (this.#table) return Math.max(0, delay + this.#table.at(uint32) * jitter);
    const uniform = (uint32 * jitter) / 0x1_0000_0000;
    if (this.#options.jitterDistribution === 'symmetric') return Math.max(0, delay - jitter + 2 * uniform);
    return delay + uniform;
  }
}
