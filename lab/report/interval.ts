/** A ratio or mean with its 95 % confidence interval. */
export interface Interval {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

const Z = 1.959964;

/** Student's t at 97.5 % by degrees of freedom, from 1; beyond the table, the Cornish–Fisher expansion. */
const T = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];

const studentT = (freedom: number): number =>
  T[freedom - 1] ?? Z + (Z ** 3 + Z) / (4 * freedom) + (5 * Z ** 5 + 16 * Z ** 3 + 3 * Z) / (96 * freedom * freedom);

/** Wilson's score interval; valid for small counts and for zero. */
export function wilson(count: number, of: number): Interval {
  if (of === 0) return { value: Number.NaN, low: 0, high: 1 };
  const share = count / of;
  const center = share + (Z * Z) / (2 * of);
  const reach = Z * Math.sqrt((share * (1 - share)) / of + (Z * Z) / (4 * of * of));
  const scale = 1 + (Z * Z) / of;
  return {
    value: share,
    low: count === 0 ? 0 : (center - reach) / scale,
    high: count === of ? 1 : (center + reach) / scale,
  };
}

/** Mean of independent values with Student's interval; for a single value the interval is that value. */
export function meanInterval(values: readonly number[]): Interval {
  const count = values.length;
  const value = values.reduce((total, each) => total + each, 0) / count;
  if (count < 2) return { value, low: value, high: value };
  const variance = values.reduce((total, each) => total + (each - value) ** 2, 0) / (count - 1);
  const reach = studentT(count - 1) * Math.sqrt(variance / count);
  return { value, low: value - reach, high: value + reach };
}

/**
 * A ratio pooled over seeds, with the wider of two intervals at each end. Frames of one seed share their outages, so
 * Wilson's interval is too narrow; Student's is too narrow when seeds agree by chance, and empty without misses.
 * Student's is used from three seeds.
 */
export function pooledShare(counts: readonly { readonly count: number; readonly of: number }[]): Interval {
  const sum = (pick: (each: { readonly count: number; readonly of: number }) => number) =>
    counts.reduce((total, each) => total + pick(each), 0);
  const frames = wilson(
    sum((each) => each.count),
    sum((each) => each.of),
  );
  const seeds = counts.filter((each) => each.of > 0).map((each) => each.count / each.of);
  if (seeds.length < 3) return frames;
  const { low, high } = meanInterval(seeds);
  return {
    value: frames.value,
    low: Math.max(0, Math.min(frames.low, low)),
    high: Math.min(1, Math.max(frames.high, high)),
  };
}
