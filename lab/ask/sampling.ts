import { studentQuantile } from '../metrics/student-t.ts';
import { type Interval, pooledShare, wilson } from '../report/interval.ts';

/** Probability that the interval with which a cell stops misses the true share. */
const ALPHA = 0.05;
/** Seeds at which the level of an interval is half of ALPHA; fewer say too little of how much seeds differ. */
const SEEDS_OF_HALF = 60;
/** Seeds at the first look: the fewest that show how much they differ. */
export const FIRST_LOOK = 3;
/** Least and greatest growth of the number of seeds from look to look. */
const GROWTH_MIN = 1.1;
const GROWTH_MAX = 1.5;
/** Number of seeds beyond which none is searched. */
const SEEDS_LIMIT = 1_000_000;

/**
 * Number of seeds at the next look of a cell: what its interval says that it takes, within 1.1 and 1.5 times as many.
 * @param reach half the width of its interval. @param until half the width that is asked for, less than `reach`.
 */
export function nextLook(seeds: number, reach: number, until: number, seedsMax: number): number {
  const expected = Math.ceil(seeds * (reach / until) ** 2);
  const next = Math.min(Math.ceil(seeds * GROWTH_MAX), Math.max(Math.ceil(seeds * GROWTH_MIN), expected));
  return Math.min(seedsMax, next);
}

/** Frames of a run that were in time, and all of them. */
export interface SeedCount {
  readonly count: number;
  readonly of: number;
}

/**
 * Interval of the share of frames in time when a cell is looked at. A cell stops when its interval is narrow, which
 * depends on how much the seeds differ and not on their mean. Of a normal distribution the two are independent (Chow and
 * Robbins 1965, on intervals of a fixed width), so what can go wrong is that few seeds agree by chance. Therefore the level
 * is 0.05·n/(n + 60) at n seeds: 0.2 % at 3, 2 % at 40, 4.5 % at 540. The interval at the stop then holds the true share
 * in at least 95 of 100 cells, as test/lab/ask/sampling.test.ts tries with known truths. It is not valid for a
 * rule that stops at a favorable mean, nor where outages are so rare that few runs have one: with an outage of a tenth
 * of the frames in one run of ten, three runs agree in three of four cells, which then miss the truth.
 */
export function intervalAt(counts: readonly SeedCount[]): Interval {
  return pooledShare(counts, levelAt(counts.length));
}

const levelAt = (seeds: number): number => (ALPHA * seeds) / (seeds + SEEDS_OF_HALF);

/** Half the width of an interval. */
export const reachOf = ({ low, high }: Interval): number => (high - low) / 2;

/**
 * Number of seeds at which the interval of a cell without any late frame is as narrow as asked: fewer never suffice.
 * @param reach half the width, 0 … 1. @param frames of a run. @returns `undefined` beyond `seedsMax`.
 */
export function seedsNeeded(reach: number, frames: number, seedsMax: number): number | undefined {
  return fewestSeeds(seedsMax, (seeds) => {
    const all = seeds * frames;
    return reachOf(wilson(all, all, levelAt(seeds))) <= reach;
  });
}

/**
 * Number of runs that gives this cell a plain interval of 95 % as narrow, if one knew the number beforehand: what a full
 * grid would take.
 * @param counts of at least three runs. @param reach half the width, more than 0.
 */
export function seedsOfGrid(counts: readonly SeedCount[], reach: number): number {
  const shares = counts.map(({ count, of }) => count / of);
  const mean = shares.reduce((total, share) => total + share, 0) / shares.length;
  const variance = shares.reduce((total, share) => total + (share - mean) ** 2, 0) / (shares.length - 1);
  const frames = counts.reduce((total, { of }) => total + of, 0) / counts.length;
  const inTime = counts.reduce((total, { count }) => total + count, 0) / counts.length;
  const needed = fewestSeeds(SEEDS_LIMIT, (seeds) => {
    const ofSeeds = studentQuantile(ALPHA, seeds - 1) * Math.sqrt(variance / seeds);
    return Math.max(ofSeeds, reachOf(wilson(inTime * seeds, frames * seeds, ALPHA))) <= reach;
  });
  return needed ?? SEEDS_LIMIT;
}

/** Fewest seeds, from FIRST_LOOK on, that are enough, where more than enough are enough too. */
function fewestSeeds(seedsMax: number, areEnough: (seeds: number) => boolean): number | undefined {
  let [low, high] = [FIRST_LOOK, FIRST_LOOK];
  while (!areEnough(high)) {
    if (high >= seedsMax) return undefined;
    low = high + 1;
    high = Math.min(seedsMax, high * 2);
  }
  while (low < high) {
    const middle = (low + high) >> 1;
    if (areEnough(middle)) high = middle;
    else low = middle + 1;
  }
  return high;
}
