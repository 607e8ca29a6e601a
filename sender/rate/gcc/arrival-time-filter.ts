import { inMilliseconds } from '../../../protocol/base/units.ts';
import type { GccOptions } from './gcc-options.ts';
import type { GroupDelta } from './packet-groups.ts';

type Options = Pick<GccOptions, 'stateNoise' | 'errorCovariance' | 'noiseCoefficient' | 'noiseGroups'>;

/** An outlier counts as this many standard deviations (§5.3). */
const OUTLIER_DEVIATIONS = 3;
/** Least variance of the measurement noise, ms² (§5.3). */
const NOISE_MIN = 1;

/**
 * Arrival-time filter (draft-ietf-rmcat-gcc-02 §5.3): a scalar Kalman filter of the delay variation between groups,
 * whose mean is above zero while a queue builds up.
 */
export class ArrivalTimeFilter {
  readonly #options: Options;
  /** Shortest departures of the last groups, ms: a ring. */
  readonly #departures: number[] = [];
  #next = 0;
  #mean = 0;
  #covariance: number;
  #noise = NOISE_MIN;

  constructor(options: Options) {
    this.#options = options;
    this.#covariance = options.errorCovariance;
  }

  /** Estimate m of the delay variation between groups, milliseconds. */
  get mean(): number {
    return this.#mean;
  }

  /** Estimated variance of the measurement noise, ms², at least 1. */
  get noise(): number {
    return this.#noise;
  }

  /** Takes the delay variation of a group, and returns the new estimate. */
  update({ arrival, departure }: GroupDelta): number {
    const { stateNoise } = this.#options;
    this.#departures[this.#next] = inMilliseconds(departure);
    this.#next = (this.#next + 1) % this.#options.noiseGroups;
    const residual = inMilliseconds(arrival) - inMilliseconds(departure) - this.#mean;
    this.#updateNoise(residual);
    const covariance = this.#covariance + stateNoise;
    const gain = covariance / (this.#noise + covariance);
    this.#mean += residual * gain;
    this.#covariance = (1 - gain) * covariance;
    return this.#mean;
  }

  #updateNoise(residual: number): void {
    // f_max: the highest rate of groups, from the shortest departure among the last K.
    const shortest = Math.max(1e-3, Math.min(...this.#departures));
    const alpha = (1 - this.#options.noiseCoefficient) ** ((30 * shortest) / 1_000);
    const bounded = Math.min(residual, OUTLIER_DEVIATIONS * Math.sqrt(this.#noise));
    this.#noise = Math.max(NOISE_MIN, alpha * this.#noise + (1 - alpha) * bounded * bounded);
  }
}
