import { expect, test } from 'vitest';
import { trendOf } from '../../bench/trend.ts';
import { seededRandom } from '../seeded-random.ts';

/** Samples of a line with noise, of which each keeps a share of the one before. */
function samples(options: { readonly slope: number; readonly kept: number; readonly seed: number }) {
  const random = seededRandom(options.seed);
  let noise = 0;
  return Array.from({ length: 200 }, (_, index) => {
    noise = options.kept * noise + random() + random() + random() - 1.5;
    return [index, 50 + options.slope * index + noise] as const;
  });
}

test('a line without noise has its slope, and no margin', () => {
  const points = [0, 1, 2, 3, 4].map((time) => [time, 7 + 2 * time] as const);
  expect(trendOf(points)).toMatchObject({ slope: 2, margin: 0 });
});

test.each([0, 0.9])('the interval holds the true slope in 19 of 20 runs, noise kept: %d', (kept) => {
  let held = 0;
  const runs = 300;
  for (let seed = 1; seed <= runs; seed++) {
    const { slope, margin } = trendOf(samples({ slope: 0.01, kept, seed }));
    if (Math.abs(slope - 0.01) <= margin) held++;
  }
  expect(held / runs).toBeGreaterThan(0.88);
  expect(held / runs).toBeLessThan(0.995);
});

test('growth above the noise is outside the interval of none', () => {
  const { slope, margin } = trendOf(samples({ slope: 0.1, kept: 0.9, seed: 4 }));
  expect(slope - margin).toBeGreaterThan(0);
});
