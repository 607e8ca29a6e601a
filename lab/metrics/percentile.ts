/** Numbers in ascending order; `Infinity` means never. */
export type Sorted = Float64Array;

export function sorted(values: Iterable<number>): Sorted {
  // Typed arrays sort numerically, identically on every engine.
  return Float64Array.from(values).sort();
}

/**
 * Nearest-rank percentile: the smallest value that at least `share` of all values do not exceed; `null` when empty.
 *
 * @param share above 0, at most 1.
 */
export function percentile(values: Sorted, share: number): number | null {
  if (values.length === 0) return null;
  // The product may exceed an integer by a rounding error: 0.95 · 20 must give rank 19.
  const rank = Math.max(1, Math.ceil(share * values.length - 1e-9));
  return values[Math.min(rank, values.length) - 1]!;
}

/** Mean, rounded to an integer; `null` when empty. */
export function roundedMean(values: Sorted): number | null {
  if (values.length === 0) return null;
  let sum = 0;
  for (const value of values) sum += value;
  return Math.round(sum / values.length);
}
