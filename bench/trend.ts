/** Growth of a quantity, from samples at equal intervals. */
export interface Trend {
  /** Least-squares slope, units of the samples for each unit of time. */
  readonly slope: number;
  /** Half of the 95 % confidence interval of the slope. */
  readonly margin: number;
  /** Samples that count, after the correlation between neighbours. */
  readonly effectiveSamples: number;
}

/** Quantile of the normal distribution for a two-sided interval of 95 %. */
const NORMAL_95 = 1.96;

/**
 * Fits a line by least squares. Memory is sampled faster than it changes, so neighbouring residuals are alike; the
 * interval is that of the smaller number of independent samples, n (1 − r) / (1 + r) for a lag-1 autocorrelation r of the
 * residuals (Bartlett 1935).
 */
export function trendOf(points: readonly (readonly [time: number, value: number])[]): Trend {
  const count = points.length;
  if (count < 4) return { slope: Number.NaN, margin: Number.NaN, effectiveSamples: count };
  const meanTime = points.reduce((sum, [time]) => sum + time, 0) / count;
  const meanValue = points.reduce((sum, [, value]) => sum + value, 0) / count;
  const spread = points.reduce((sum, [time]) => sum + (time - meanTime) ** 2, 0);
  const slope = points.reduce((sum, [time, value]) => sum + (time - meanTime) * (value - meanValue), 0) / spread;
  const residuals = points.map(([time, value]) => value - meanValue - slope * (time - meanTime));
  const squares = residuals.reduce((sum, residual) => sum + residual ** 2, 0);
  if (squares === 0) return { slope, margin: 0, effectiveSamples: count };
  const products = residuals.slice(1).reduce((sum, residual, index) => sum + residual * residuals[index]!, 0);
  const correlation = Math.min(0.99, Math.max(0, products / squares));
  const effectiveSamples = Math.max(3, (count * (1 - correlation)) / (1 + correlation));
  const variance = ((squares / (count - 2)) * (count / effectiveSamples)) / spread;
  return { slope, margin: studentFactor(effectiveSamples - 2) * Math.sqrt(variance), effectiveSamples };
}

/** Quantile of Student's distribution for 95 %, by its expansion in 1 / degrees of freedom (Abramowitz and Stegun 26.7.5). */
function studentFactor(degrees: number): number {
  const z = NORMAL_95;
  const first = (z ** 3 + z) / 4;
  const second = (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96;
  const third = (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384;
  return z + first / degrees + second / degrees ** 2 + third / degrees ** 3;
}
