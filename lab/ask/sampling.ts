import { type Interval, pooledShare } from '../report/interval.ts';

/** Probability that the interval of a cell misses the true share at any of the times at which it is looked at. */
const ALPHA = 0.05;
/** Seeds at the first look: the fewest that show how much they differ. */
const FIRST_LOOK = 3;
/** Growth of the number of seeds from look to look. */
const GROWTH = 1.5;

/** Numbers of seeds at which cells are looked at, ascending: 3, 5, 8, 12, … and the last. @param seedsMax at least 3 */
export function looksUntil(seedsMax: number): readonly number[] {
  const looks: number[] = [];
  for (let seeds = FIRST_LOOK; seeds < seedsMax; seeds = Math.ceil(seeds * GROWTH)) looks.push(seeds);
  return [...looks, seedsMax];
}

/** Frames of a run that were in time, and all of them. */
export interface SeedCount {
  readonly count: number;
  readonly of: number;
}

/**
 * Interval of the share of frames in time at a look. Stopping as soon as an interval is narrow enough looks at it several
 * times, so each look has a part of the error: α·6/(π²k²) at look k, which sums to α over any number of looks (union
 * bound). The interval is therefore valid whenever one stops: it holds the true share in 95 of 100 cells.
 * @param look number of the look, from 0.
 */
export function intervalAt(look: number, counts: readonly SeedCount[]): Interval {
  return pooledShare(counts, (ALPHA * 6) / (Math.PI * (look + 1)) ** 2);
}

/** Half the width of an interval. */
export const reachOf = ({ low, high }: Interval): number => (high - low) / 2;

/**
 * Number of seeds at which the interval of a cell without any late frame is as narrow as asked: fewer never suffice.
 * @param reach half the width, 0 … 1. @param frames of a run. @returns `undefined` beyond `seedsMax`.
 */
export function seedsNeeded(reach: number, frames: number, seedsMax: number): number | undefined {
  return looksUntil(seedsMax).find((seeds, look) => {
    const counts = Array.from({ length: seeds }, () => ({ count: frames, of: frames }));
    return reachOf(intervalAt(look, counts)) <= reach;
  });
}
