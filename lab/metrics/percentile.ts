/** Numbers in ascending order; `Infinity` stands for what never came. */
export type Sorted = Float64Array;

export function sorted(values: Iterable<number>): Sorted {
  // Typed arrays sort by number, and the same on every engine.
  return Float64Array.from(values).sort();
}

/**
 * The nearest rank: the smallest value that at least `share` of all do not exceed; `null` of nothing.
 * @param share more than 0, at most 1
 */
export function percentile(values: Sorted, share: number): number | null {
  if (values.length === 0) return null;
  // The product may lie a hair above a whole number that it stands for: 0.95 · 20 has to be rank 19.
  const rank = Math.max(1, Math.ceil(share * values.length - 1e-9));
  return values[Math.min(rank, values.length) - 1]!;
}

/** The mean, rounded to a whole number; `null` of nothing. */
export function roundedMean(values: Sorted): number | null {
  if (values.length === 0) return null;
  let sum = 0;
  for (const value of values) sum += value;
  return Math.round(sum / values.length);
}
