import { exponential, naturalLog } from '../exact-mathematics.ts';

/** Intervals of a table: finer than one microsecond of a typical jitter. */
const STEPS = 4_096;
const STEP_BITS = 12;
const FRACTION_BITS = 32 - STEP_BITS;

/**
 * Samples a distribution with mean 0 and standard deviation 1 by inversion: a 32-bit draw indexes a table of quantiles
 * with linear interpolation. The tails end at the quantiles of half an interval (±3.7 for the normal distribution).
 */
export class QuantileTable {
  readonly #quantiles: Float64Array;

  /** @param quantile function of a probability strictly between 0 and 1. */
  constructor(quantile: (probability: number) => number) {
    this.#quantiles = new Float64Array(STEPS + 1);
    for (let step = 0; step <= STEPS; step++) {
      const probability = Math.min(Math.max(step / STEPS, 0.5 / STEPS), 1 - 0.5 / STEPS);
      this.#quantiles[step] = quantile(probability);
    }
  }

  /** Returns the value for a draw, 0 … 2^32 − 1. */
  at(draw: number): number {
    const step = draw >>> FRACTION_BITS;
    const fraction = (draw & ((1 << FRACTION_BITS) - 1)) / (1 << FRACTION_BITS);
    const low = this.#quantiles[step]!;
    return low + (this.#quantiles[step + 1]! - low) * fraction;
  }
}

/** 1/√(2π). */
const DENSITY_AT_0 = 0.3989422804014327;

/** Quantile of the normal distribution, by Newton's method on Φ(x) = ½ + φ(x)·(x + x³/3 + x⁵/15 + …). */
function normalQuantile(probability: number): number {
  let x = 0;
  for (let round = 0; round < 30; round++) {
    const density = DENSITY_AT_0 * exponential((-x * x) / 2);
    let term = x;
    let sum = x;
    for (let odd = 3; odd < 160; odd += 2) {
      term *= (x * x) / odd;
      sum += term;
    }
    const step = (probability - 0.5 - density * sum) / density;
    // Limits the step: from 0, the first one would overshoot because the density falls towards the tails.
    x += Math.max(-0.5, Math.min(0.5, step));
    if (step < 1e-13 && step > -1e-13) break;
  }
  return x;
}

/** Pareto distribution with exponent 3 (mean 3/2, variance 3/4), shifted and scaled to mean 0 and variance 1. */
function paretoQuantile(probability: number): number {
  const value = exponential(-naturalLog(1 - probability) / 3);
  return (value - 1.5) / 0.8660254037844386;
}

let normal: QuantileTable | undefined;
let pareto: QuantileTable | undefined;

/** Normal distribution; built on first use. */
export const normalTable = (): QuantileTable => {
  normal ??= new QuantileTable(normalQuantile);
  return normal;
};
/** Heavy-tailed Pareto distribution; built on first use. */
export const paretoTable = (): QuantileTable => {
  pareto ??= new QuantileTable(paretoQuantile);
  return pareto;
};
