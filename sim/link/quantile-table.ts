import { exponential, naturalLog } from '../exact-mathematics.ts';

/** Steps of a table: finer than what a microsecond of a usual jitter can show. */
const STEPS = 4_096;
const STEP_BITS = 12;
const FRACTION_BITS = 32 - STEP_BITS;

/**
 * Draws from a distribution with mean 0 and deviation 1 by inversion: a 32-bit draw is a place in a table of quantiles,
 * straight lines between. The ends are cut at the quantiles of half a step (for the normal distribution ±3.7).
 */
export class QuantileTable {
  readonly #quantiles: Float64Array;

  /** @param quantile of a probability strictly between 0 and 1. */
  constructor(quantile: (probability: number) => number) {
    this.#quantiles = new Float64Array(STEPS + 1);
    for (let step = 0; step <= STEPS; step++) {
      const probability = Math.min(Math.max(step / STEPS, 0.5 / STEPS), 1 - 0.5 / STEPS);
      this.#quantiles[step] = quantile(probability);
    }
  }

  /** The value at a draw of 0 … 2^32 − 1. */
  at(draw: number): number {
    const step = draw >>> FRACTION_BITS;
    const fraction = (draw & ((1 << FRACTION_BITS) - 1)) / (1 << FRACTION_BITS);
    const low = this.#quantiles[step]!;
    return low + (this.#quantiles[step + 1]! - low) * fraction;
  }
}

/** 1/√(2π). */
const DENSITY_AT_0 = 0.3989422804014327;

/** The normal distribution's quantile by Newton's method on Φ(x) = ½ + φ(x)·(x + x³/3 + x⁵/15 + …). */
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
    // From 0 the first step would overshoot: the density falls away from the middle.
    x += Math.max(-0.5, Math.min(0.5, step));
    if (step < 1e-13 && step > -1e-13) break;
  }
  return x;
}

/** Pareto with the exponent 3, which has a mean of 3/2 and a variance of 3/4, moved and scaled to 0 and 1. */
function paretoQuantile(probability: number): number {
  const value = exponential(-naturalLog(1 - probability) / 3);
  return (value - 1.5) / 0.8660254037844386;
}

let normal: QuantileTable | undefined;
let pareto: QuantileTable | undefined;

/** The normal distribution; made when it is first asked for. */
export const normalTable = (): QuantileTable => {
  normal ??= new QuantileTable(normalQuantile);
  return normal;
};
/** A distribution with a heavy tail: few delays far above the others. */
export const paretoTable = (): QuantileTable => {
  pareto ??= new QuantileTable(paretoQuantile);
  return pareto;
};
