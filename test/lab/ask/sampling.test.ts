import { expect, test } from 'vitest';
import {
  FIRST_LOOK,
  intervalAt,
  nextLook,
  reachOf,
  type SeedCount,
  seedsNeeded,
  seedsOfGrid,
} from '../../../lab/ask/sampling.ts';
import { studentQuantile, studentTail } from '../../../lab/metrics/student-t.ts';
import type { Interval } from '../../../lab/report/interval.ts';
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

test('the next look is where the interval is expected to be narrow, within a tenth and a half more', () => {
  expect(nextLook(40, 0.0055, 0.005, 1_000)).toBe(49);
  expect(nextLook(40, 0.005_01, 0.005, 1_000)).toBe(44);
  expect(nextLook(40, 0.05, 0.005, 1_000)).toBe(60);
  expect(nextLook(40, 0.05, 0.005, 50)).toBe(50);
  expect(nextLook(3, 0.006, 0.005, 1_000)).toBe(5);
});

const alike = (seeds: number, count: number, of = 840): readonly SeedCount[] =>
  Array.from({ length: seeds }, () => ({ count, of }));

test('no fewer seeds than needed without a late frame are promised', () => {
  const seeds = seedsNeeded(0.001, 840, 100)!;
  expect(reachOf(intervalAt(alike(seeds, 840)))).toBeLessThanOrEqual(0.001);
  expect(reachOf(intervalAt(alike(seeds - 1, 840)))).toBeGreaterThan(0.001);
  expect(seedsNeeded(0.01, 840, 3)).toBe(3);
  expect(seedsNeeded(0.000_001, 840, 100)).toBeUndefined();
});

test('the seeds of a full grid are those of a plain interval of 95 %', () => {
  // Half of the seeds 24 frames above the mean and half below: a deviation of 2.9 points.
  const counts = Array.from({ length: 400 }, (_, seed) => ({ count: 420 + (seed % 2 === 0 ? 24 : -24), of: 840 }));
  const seeds = seedsOfGrid(counts, 0.005);
  expect(seeds).toBeGreaterThanOrEqual(((1.96 * 24) / 840 / 0.005) ** 2);
  expect(seeds).toBeLessThan(((1.99 * 24) / 840 / 0.005) ** 2 + 1);
  // Without differences it is Wilson's: 1.96²·p·(1 − p)/(n·840).
  expect(seedsOfGrid(alike(5, 420), 0.005)).toBe(46);
  expect(seedsOfGrid(alike(3, 840), 0.01)).toBe(FIRST_LOOK);
});

/** Late frames of a run of 1,000: outages that happen with a probability at each of several chances. */
interface Outages {
  readonly chances: number;
  /** In tenths of a percent. */
  readonly perMille: number;
  /** Lengths from 1 to this, equally likely, frames. */
  readonly longest: number;
}

const outages: readonly (readonly [name: string, Outages])[] = [
  ['single frames', { chances: 60, perMille: 500, longest: 1 }],
  ['short outages', { chances: 20, perMille: 300, longest: 6 }],
  ['fewer and longer ones', { chances: 20, perMille: 100, longest: 10 }],
  ['long ones', { chances: 10, perMille: 300, longest: 60 }],
];

// Frames of a run are late together; the true share is the product of chances, probability and mean length.
test.each(outages)('an interval at which a cell stops holds the true share in at least 95 of 100: %s', (name, kind) => {
  const random = new RandomStream(7, `sampling, ${name}`);
  let draw = 0;
  const lateFrames = () => {
    let late = 0;
    for (let chance = 0; chance < kind.chances; chance++) {
      if (random.below(draw++, 1_000) < kind.perMille) late += 1 + random.below(draw++, kind.longest);
    }
    return late;
  };
  const truth = 1 - (kind.chances * (kind.perMille / 1_000) * (kind.longest + 1)) / 2 / 1_000;
  const until = 0.006;
  const cells = 1_500;
  let [held, taken, ofGrid] = [0, 0, 0];
  for (let cell = 0; cell < cells; cell++) {
    const counts: SeedCount[] = [];
    let interval: Interval;
    for (let seeds = FIRST_LOOK; ; seeds = nextLook(seeds, reachOf(interval), until, 10_000)) {
      while (counts.length < seeds) counts.push({ count: 1_000 - lateFrames(), of: 1_000 });
      interval = intervalAt(counts);
      if (reachOf(interval) <= until) break;
    }
    if (interval.low <= truth && truth <= interval.high) held++;
    taken += counts.length;
    ofGrid += seedsOfGrid(counts, until);
  }
  expect(held / cells).toBeGreaterThanOrEqual(0.95);
  // Not to know the number of runs beforehand costs some runs, most where few are enough.
  expect(taken).toBeLessThan(ofGrid * 1.3 + cells * 12);
});
