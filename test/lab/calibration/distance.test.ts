import fc from 'fast-check';
import { expect, test } from 'vitest';
import { kolmogorovSmirnov } from '../../../lab/calibration/distance.ts';
import { sorted } from '../../../lab/metrics/percentile.ts';

const NEVER = Number.POSITIVE_INFINITY;

/** By definition: the largest difference of the cumulative fractions at any value. */
function slowDistance(one: readonly number[], other: readonly number[]): number {
  const share = (of: readonly number[], at: number) => of.filter((value) => value <= at).length / of.length;
  const values = [...one, ...other].filter(Number.isFinite);
  return Math.max(0, ...values.map((at) => Math.abs(share(one, at) - share(other, at))));
}

test('equal distributions have distance 0, and disjoint ones 1', () => {
  expect(kolmogorovSmirnov(sorted([1, 2, 3]), sorted([1, 2, 3]))).toBe(0);
  expect(kolmogorovSmirnov(sorted([1, 2, 3]), sorted([4, 5, 6]))).toBe(1);
});

test('the distance is the largest difference of the fractions', () => {
  expect(kolmogorovSmirnov(sorted([10, 10, 10, 50]), sorted([10, 10, 50, 50]))).toBe(0.25);
});

test('infinity exceeds every delay', () => {
  expect(kolmogorovSmirnov(sorted([10, 10, 10, NEVER]), sorted([10, 10, 10, 10]))).toBe(0.25);
  expect(kolmogorovSmirnov(sorted([10, NEVER]), sorted([10, NEVER]))).toBe(0);
});

test('a shift within the tolerance does not count, and a larger one counts in full', () => {
  const path = sorted([25_000, 25_000, 25_000, 75_000]);
  const machine = sorted([26_000, 26_900, 25_100, 77_500]);
  expect(kolmogorovSmirnov(path, machine)).toBe(0.75);
  expect(kolmogorovSmirnov(path, machine, 3_000)).toBe(0);
  expect(kolmogorovSmirnov(path, machine, 2_000)).toBe(0.25);
});

test('the tolerance applies in both directions', () => {
  const [early, late] = [sorted([10, 20, 30]), sorted([12, 22, 32])];
  expect(kolmogorovSmirnov(early, late, 2)).toBe(0);
  expect(kolmogorovSmirnov(late, early, 2)).toBe(0);
  expect(kolmogorovSmirnov(late, early, 1)).toBeCloseTo(1 / 3);
});

test('agrees with the definition', () => {
  const delays = fc.array(fc.oneof(fc.integer({ min: 0, max: 20 }), fc.constant(NEVER)), {
    minLength: 1,
    maxLength: 30,
  });
  fc.assert(
    fc.property(delays, delays, (one, other) => {
      expect(kolmogorovSmirnov(sorted([...one]), sorted([...other]))).toBeCloseTo(slowDistance(one, other), 12);
    }),
  );
});
