import {
  elapsed,
  type Instant,
  instant,
  later,
  latest,
  type Microseconds,
  microseconds,
} from '../../../protocol/base/units.ts';
import { RandomStream } from '../../random.ts';
import { type DelayQuantiles, delayAtShare } from '../link-values.ts';
import type { LossModel } from '../loss/loss-model.ts';
import { RecordedPathDelay } from '../loss/path-trace.ts';
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
  /** Distribution of the additional delay, in place of `jitter`. */
  readonly quantiles?: DelayQuantiles;
  /** A path trace adds its delays to all others. */
  readonly lossModel?: LossModel;
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
  #quantiles: DelayQuantiles | undefined;
  #recorded: RecordedPathDelay | undefined;
  #recordedFrom: LossModel | undefined;
  readonly #startsAt: Instant;
  #lastAt: Instant = instant(0);
  #lastFifoAt: Instant = instant(0);

  /** @param startsAt zero point of a path trace's time. */
  constructor(options: PropagationOptions, seed: number, direction: string, startsAt = instant(0)) {
    this.#startsAt = startsAt;
    this.#jitterDraws = new RandomStream(seed, `${direction}/jitter`);
    this.#fifoDraws = new RandomStream(seed, `${direction}/fifo-jitter`);
    this.reconfigure(options);
  }

  reconfigure(options: PropagationOptions): void {
    const { delay, jitter, jitterDistribution, order, fifoJitter = microseconds(0), quantiles, lossModel } = options;
    this.#delay = delay;
    this.#jitter = jitter;
    this.#fifoJitter = fifoJitter;
    this.#keepsOrder = order === 'kept';
    this.#symmetric = jitterDistribution === 'symmetric';
    this.#table = undefined;
    if (jitterDistribution === 'normal') this.#table = normalTable();
    if (jitterDistribution === 'pareto') this.#table = paretoTable();
    this.#quantiles = quantiles;
    if (lossModel !== this.#recordedFrom) {
      this.#recordedFrom = lossModel;
      this.#recorded = lossModel?.kind === 'path-trace' ? new RecordedPathDelay(lossModel.trace) : undefined;
    }
  }

  /** Returns the arrival time of a datagram that left the bottleneck at `leavesAt`; `draw` is its random index. */
  arrives(leavesAt: Instant, draw: number): Instant {
    const from = this.#fifoJitter > 0 ? this.#afterFifoJitter(leavesAt, draw) : leavesAt;
    const varies = this.#jitter > 0 || this.#quantiles !== undefined;
    let at = instant(from + Math.round(varies ? this.#drawDelay(draw) : this.#delay));
    if (this.#recorded) at = later(at, this.#recorded.at(elapsed(this.#startsAt, leavesAt)));
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
    if (this.#quantiles) return microseconds(this.#delay + delayAtShare(this.#quantiles, uint32 / 0x1_0000_0000));
    if (this.#table) return microseconds(Math.max(0, this.#delay + this.#table.at(uint32) * this.#jitter));
    const uniform = (uint32 * this.#jitter) / 0x1_0000_0000;
    if (this.#symmetric) return microseconds(Math.max(0, this.#delay - this.#jitter + 2 * uniform));
    return microseconds(this.#delay + uniform);
  }
}
