import { type Instant, instant, latest, type Microseconds, microseconds } from '../../../protocol/base/units.ts';
import { RandomStream } from '../../random.ts';
import { normalTable, paretoTable, type QuantileTable } from '../quantile-table.ts';

/**
 * Distribution of the delay for delay T and jitter J: `uniform` in T … T + J; `symmetric` (netem's default) in T − J …
 * T + J; `normal` and `pareto` with mean T and standard deviation J. Negative delays become 0.
 */
export type JitterDistribution = 'uniform' | 'symmetric' | 'normal' | 'pareto';

export interface PropagationOptions {
  readonly delay: Microseconds;
  readonly jitter: Microseconds;
  readonly jitterDistribution?: JitterDistribution;
  /** `free`: jitter may reorder datagrams. `kept`: a datagram waits for those sent before it. */
  readonly order: 'free' | 'kept';
  /** Queue-like jitter, uniform in 0 … fifoJitter: a delayed datagram delays those behind it. */
  readonly fifoJitter?: Microseconds;
}

/** Delay and jitter behind the bottleneck. */
export class Propagation {
  readonly #jitterDraws: RandomStream;
  readonly #fifoDraws: RandomStream;
  // Separate fields instead of the options object, whose varying shape would slow down each access.
  #delay: Microseconds = microseconds(0);
  #jitter: Microseconds = microseconds(0);
  #fifoJitter: Microseconds = microseconds(0);
  #symmetric = false;
  #keepsOrder = false;
  #table: QuantileTable | undefined;
  #lastAt: Instant = instant(0);
  #lastFifoAt: Instant = instant(0);

  constructor(options: PropagationOptions, seed: number, direction: string) {
    this.#jitterDraws = new RandomStream(seed, `${direction}/jitter`);
    this.#fifoDraws = new RandomStream(seed, `${direction}/fifo-jitter`);
    this.reconfigure(options);
  }

  reconfigure({ delay, jitter, jitterDistribution, order, fifoJitter = microseconds(0) }: PropagationOptions): void {
    this.#delay = delay;
    this.#jitter = jitter;
    this.#fifoJitter = fifoJitter;
    this.#keepsOrder = order === 'kept';
    this.#symmetric = jitterDistribution === 'symmetric';
    this.#table = undefined;
    if (jitterDistribution === 'normal') this.#table = normalTable();
    if (jitterDistribution === 'pareto') this.#table = paretoTable();
  }

  /** Returns the arrival time of a datagram that left the bottleneck at `leavesAt`; `draw` is its random index. */
  arrives(leavesAt: Instant, draw: number): Instant {
    const from = this.#fifoJitter > 0 ? this.#afterFifoJitter(leavesAt, draw) : leavesAt;
    let at = instant(from + Math.round(this.#jitter > 0 ? this.#drawDelay(draw) : this.#delay));
    if (this.#keepsOrder) at = latest(at, this.#lastAt);
    this.#lastAt = at;
    return at;
  }

  #afterFifoJitter(leavesAt: Instant, draw: number): Instant {
    const at = leavesAt + Math.round((this.#fifoDraws.uint32(draw) * this.#fifoJitter) / 0x1_0000_0000);
    this.#lastFifoAt = instant(Math.max(this.#lastFifoAt, at));
    return this.#lastFifoAt;
  }

  #drawDelay(draw: number): Microseconds {
    const uint32 = this.#jitterDraws.uint32(draw);
    if (this.#table) return microseconds(Math.max(0, this.#delay + this.#table.at(uint32) * this.#jitter));
    const uniform = (uint32 * this.#jitter) / 0x1_0000_0000;
    if (this.#symmetric) return microseconds(Math.max(0, this.#delay - this.#jitter + 2 * uniform));
    return microseconds(this.#delay + uniform);
  }
}
