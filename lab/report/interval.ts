import { studentQuantile } from '../metrics/student-t.ts';

/** A ratio or mean with its confidence interval, of 95 % unless another level is given. */
export interface Interval {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Probability that an interval misses the true value, unless another is given: intervals of 95 %. */
const ALPHA = 0.05;

/** Degrees of freedom at which Student's distribution is the normal one to six digits. */
const NORMAL_FREEDOM = 2_000_000;

const quantiles = new Map<string, number>();

function studentT(alpha: number, freedom: number): number {
  const key = `${alpha} ${freedom}`;
  let quantile = quantiles.get(key);
  if (quantile === undefined) {
    quantile = studentQuantile(alpha, freedom);
    quantiles.set(key, quantile);
  }
  return quantile;
}

/** Wilson's score interval; valid for small counts and for zero. */
export function wilson(count: number, of: number, alpha = ALPHA): Interval {
  const z = studentT(alpha, NORMAL_FREEDOM);
  if (of === 0) return { value: Number.NaN, low: 0, high: 1 };
  const share = count / of;
  const center = share + (z * z) / (2 * of);
  const reach = z * Math.sqrt((share * (1 - share)) / of + (z * z) / (4 * of * of));
  const scale = 1 + (z * z) / of;
  return {
    value: share,
    low: count === 0 ? 0 : (center - reach) / scale,
    high: count === of ? 1 : (center + reach) / scale,
  };
}

/** Mean of independent values with Student's interval; for a single value the interval is that value. */
export function meanInterval(values: readonly number[], alpha = ALPHA): Interval {
  const count = values.length;
  const value = values.reduce((total, each) => total + each, 0) / count;
  if (count < 2) return { value, low: value, high: value };
  const variance = values.reduce((total, each) => total + (each - value) ** 2, 0) / (count - 1);
  const reach = studentT(alpha, count - 1) * Math.sqrt(variance / count);
  return { value, low: value - reach, high: value + reach };
}

/**
 * A ratio pooled over seeds, with the wider of two intervals at each end. Frames of one seed share their outages, so
 * Wilson's interval is too narrow; Student's is too narrow when seeds agree by chance, and empty without misses.
 * Student's is used from three seeds.
 * @param alpha probability that the interval misses the true value, 0 … 1.
 */
export function pooledShare(
  counts: readonly { readonly count: number; readonly of: number }[],
  alpha = ALPHA,
): Interval {
  const sum = (pick: (each: { readonly count: number; readonly of: number }) => number) =>
    counts.reduce((total, each) => total + pick(each), 0);
  const frames = wilson(
    sum((each) => each.count),
    sum((each) => each.of),
    alpha,
  );
  const seeds = counts.filter((each) => each.of > 0).map((each) => each.count / each.of);
  if (seeds.length < 3) return frames;
  const { low, high } = meanInterval(seeds, alpha);
  return {
    value: frames.value,
    low: Math.max(0, Math.min(frames.low, low)),
    high: Math.min(1, Math.max(frames.high, high)),
  };
}
