import type { Sorted } from '../metrics/percentile.ts';

/**
 * How far two distributions are apart (Kolmogorov and Smirnov): the largest difference of their shares of values up to
 * any point, 0 … 1.
 * @param tolerance by how much values may be shifted before that counts, the same unit: 0 is the plain distance; with
 *   more, a share of one is compared with the largest or smallest that the other has within the tolerance.
 */
export function kolmogorovSmirnov(one: Sorted, other: Sorted, tolerance = 0): number {
  if (one.length === 0 || other.length === 0) return one.length === other.length ? 0 : 1;
  return Math.max(excess(one, other, tolerance), excess(other, one, tolerance));
}

/** The most by which the share of `one` up to a point exceeds that of `other` up to a tolerance beyond it. */
function excess(one: Sorted, other: Sorted, tolerance: number): number {
  let most = 0;
  let reached = 0;
  for (let index = 0; index < one.length; index++) {
    const value = one[index]!;
    // The largest share at this value: behind the last that equals it.
    if (index + 1 < one.length && one[index + 1] === value) continue;
    // What never came is no share of anything that came.
    if (value === Number.POSITIVE_INFINITY) break;
    while (reached < other.length && other[reached]! <= value + tolerance) reached++;
    most = Math.max(most, (index + 1) / one.length - reached / other.length);
  }
  return most;
}
