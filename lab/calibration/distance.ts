import type { Sorted } from '../metrics/percentile.ts';

/**
 * Kolmogorov–Smirnov distance of two distributions: the largest difference of their cumulative fractions, 0 … 1.
 *
 * @param tolerance shift of values that is tolerated, in the same unit; 0: plain distance. Otherwise each fraction is
 *   compared with the extreme of the other distribution within the tolerance.
 */
export function kolmogorovSmirnov(one: Sorted, other: Sorted, tolerance = 0): number {
  if (one.length === 0 || other.length === 0) return one.length === other.length ? 0 : 1;
  return Math.max(excess(one, other, tolerance), excess(other, one, tolerance));
}

/** Largest excess of `one`'s cumulative fraction over that of `other` at a point shifted by the tolerance. */
function excess(one: Sorted, other: Sorted, tolerance: number): number {
  let most = 0;
  let reached = 0;
  for (let index = 0; index < one.length; index++) {
    const value = one[index]!;
    // Ties: use the fraction after the last equal value.
    if (index + 1 < one.length && one[index + 1] === value) continue;
    // Values of infinity are not part of any finite fraction.
    if (value === Number.POSITIVE_INFINITY) break;
    while (reached < other.length && other[reached]! <= value + tolerance) reached++;
    most = Math.max(most, (index + 1) / one.length - reached / other.length);
  }
  return most;
}
