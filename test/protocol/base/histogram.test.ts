import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Histogram } from '../../../protocol/base/histogram.ts';
import { microseconds, seconds } from '../../../protocol/base/units.ts';

test('an empty histogram has no percentiles', () => {
  const histogram = new Histogram();
  expect(histogram.percentile(0.5)).toBeUndefined();
  expect([histogram.count, histogram.max]).toEqual([0, 0]);
});

test('percentiles match the sorted list within the stated resolution', () => {
  const spans = fc.array(fc.integer({ min: 0, max: 150_000_000 }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(spans, fc.constantFrom(0.01, 0.5, 0.95, 0.99, 1), (list, share) => {
      const histogram = new Histogram();
      for (const span of list) histogram.add(microseconds(span));
      const sorted = list.toSorted((a, b) => a - b);
      const exact = sorted[Math.max(1, Math.ceil(share * list.length)) - 1]!;
      const resolution = exact < 2_000_000 ? 100 : 10_000;
      expect(Math.abs(histogram.percentile(share)! - exact)).toBeLessThanOrEqual(resolution);
      expect(histogram.max).toBe(sorted.at(-1));
      expect(histogram.percentile(share)).toBeLessThanOrEqual(histogram.max);
    }),
  );
});

test('clamps spans beyond the last bin, and negative ones to 0', () => {
  const histogram = new Histogram();
  histogram.add(microseconds(-5));
  expect(histogram.percentile(1)).toBe(0);
  histogram.add(seconds(1_000_000));
  expect(histogram.count).toBe(2);
  expect(histogram.percentile(1)).toBeGreaterThan(199_000_000);
});
