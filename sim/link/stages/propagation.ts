import type { Instant, Microseconds } from '../../../protocol/base/instant.ts';
import { RandomStream } from '../../random.ts';
import { normalTable, paretoTable, type QuantileTable } from '../quantile-table.ts';

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
  // Kept apart: links differ in what they have, and objects of many shapes are slow to ask.
  #delay: Microseconds = 0;
  #jitter: Microseconds = 0;
  #fifoJitter: Microseconds = 0;
  #symmetric = false;
  #keepsOrder = false;
  #table: QuantileTable | undefined;
  #lastAt: Instant = 0;
  #lastFifoAt: Instant = 0;

  constructor(options: PropagationOptions, seed: number, direction: string) {
    this.#jitterDraws = new RandomStream(seed, `${direction}/jitter`);
    this.#fifoDraws = new RandomStream(seed, `${direction}/fifo-jitter`);
    this.reconfigure(options);
  }

  reconfigure({ delay, jitter, jitterDistribution, order, fifoJitter = 0 }: PropagationOptions): void {
    this.#delay = delay;
    this.#jitter = jitter;
    this.#fifoJitter = fifoJitter;
    this.#keepsOrder = order === 'kept';
    this.#symmetric = jitterDistribution === 'symmetric';
    this.#table = undefined;
    if (jitterDistribution === 'normal') this.#table = normalTable();
    if (jitterDistribution === 'pareto') this.#table = paretoTable();
  }

  /** When what left the bottleneck at `leavesAt` arrives; `draw` numbers what is carried. */
  arrives(leavesAt: Instant, draw: number): Instant {
    const from = this.#fifoJitter > 0 ? this.#behindOthers(leavesAt, draw) : leavesAt;
    let at = from + Math.round(this.#jitter > 0 ? this.#delayed(draw) : this.#delay);
    if (this.#keepsOrder) at = Math.max(at, this.#lastAt);
    this.#lastAt = at;
    return at;
  }

  #behindOthers(leavesAt: Instant, draw: number): Instant {
    const at = leavesAt + Math.round((this.#fifoDraws.uint32(draw) * this.#fifoJitter) / 0x1_0000_0000);
    this.#lastFifoAt = Math.max(this.#lastFifoAt, at);
    return this.#lastFifoAt;
  }

  #delayed(draw: number): Microseconds {
    const uint32 = this.#jitterDraws.uint32(draw);
    if (this.#table) return Math.max(0, this.#delay + this.#table.at(uint32) * this.#jitter);
    const uniform = (uint32 * this.#jitter) / 0x1_0000_0000;
    if (this.#symmetric) return Math.max(0, this.#delay - this.#jitter + 2 * uniform);
    return this.#delay + uniform;
  }
}
