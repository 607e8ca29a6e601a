import { expect, test } from 'vitest';
import { intervalAt, looksUntil, reachOf, seedsNeeded } from '../../../lab/ask/sampling.ts';
import { studentQuantile, studentTail } from '../../../lab/metrics/student-t.ts';
import { RandomStream } from '../../../sim/random.ts';

test('Student’s quantiles are those of the tables', () => {
  // Abramowitz and Stegun, table 26.10.
  expect(studentQuantile(0.05, 1)).toBeCloseTo(12.706, 3);
  expect(studentQuantile(0.05, 2)).toBeCloseTo(4.303, 3);
  expect(studentQuantile(0.01, 5)).toBeCloseTo(4.032, 3);
  expect(studentQuantile(0.001, 3)).toBeCloseTo(12.924, 3);
  expect(studentQuantile(0.05, 120)).toBeCloseTo(1.98, 3);
  expect(studentTail(1, 1)).toBeCloseTo(0.5, 12);
});

test('looks grow by half, and the last is at the most seeds', () => {
  expect(looksUntil(30)).toEqual([3, 5, 8, 12, 18, 27, 30]);
  expect(looksUntil(3)).toEqual([3]);
});

test('an interval is wider at a later look of the same counts', () => {
  const counts = [10, 12, 9, 11, 13].map((late) => ({ count: 1_000 - late, of: 1_000 }));
  expect(reachOf(intervalAt(4, counts))).toBeGreaterThan(reachOf(intervalAt(0, counts)));
});

test('no fewer seeds than needed without a late frame are promised', () => {
  const seeds = seedsNeeded(0.001, 840, 100)!;
  const counts = (count: number) => Array.from({ length: count }, () => ({ count: 840, of: 840 }));
  expect(looksUntil(100)).toContain(seeds);
  expect(reachOf(intervalAt(looksUntil(100).indexOf(seeds), counts(seeds)))).toBeLessThanOrEqual(0.001);
  expect(seedsNeeded(0.000_001, 840, 100)).toBeUndefined();
});

// Frames of a run are late together: six outages of one to six frames on the average, 21 of 1,000 frames.
test('an interval that is looked at until it is narrow holds the true share in at least 95 of 100 cells', () => {
  const random = new RandomStream(7, 'sampling');
  let draw = 0;
  const lateFrames = () => {
    let late = 0;
    for (let chance = 0; chance < 20; chance++) if (random.below(draw++, 10) < 3) late += 1 + random.below(draw++, 6);
    return late;
  };
  const looks = looksUntil(60);
  const cells = 1_000;
  let [held, seedsOfAll] = [0, 0];
  for (let cell = 0; cell < cells; cell++) {
    const counts: { count: number; of: number }[] = [];
    for (const [look, seeds] of looks.entries()) {
      while (counts.length < seeds) counts.push({ count: 1_000 - lateFrames(), of: 1_000 });
      const interval = intervalAt(look, counts);
      if (reachOf(interval) > 0.008 && look < looks.length - 1) continue;
      if (interval.low <= 0.979 && 0.979 <= interval.high) held++;
      seedsOfAll += seeds;
      break;
    }
  }
  expect(held / cells).toBeGreaterThanOrEqual(0.95);
  // Stopping saves most of the runs that a fixed number of 60 would take.
  expect(seedsOfAll / cells).toBeLessThan(30);
});
