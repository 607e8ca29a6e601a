import { type Interval, pooledShare } from './interval.ts';
import type { RunRow } from './report-tables.ts';

/** A strategy on a path with a budget: all of its seeds together. */
export interface OperatingPoint {
  readonly strategy: string;
  /** The path as a picture's title has it. */
  readonly path: string;
  readonly loss: number | undefined;
  readonly burst: number | undefined;
  readonly roundTripMs: number | undefined;
  readonly budgetMs: number;
  /** In the order of their seeds. */
  readonly runs: readonly RunRow[];
  readonly frames: number;
  /** Frames that were not decodable within the budget. */
  readonly missed: number;
  readonly misses: Interval;
  /** Mean over seeds. */
  readonly overhead: number;
  /** Mean over the seeds of each seed's figure; ∞ as soon as one seed's is. */
  readonly delayMs: RunRow['delayMs'];
  readonly stallRatio: number | undefined;
}

/** The forward line, and the way back where it is another. */
export function pathName({ forward, back }: Pick<RunRow, 'forward' | 'back'>): string {
  const name = forward === '' ? 'a clean path' : forward;
  return back === forward || back === '' ? name : `${name} ⇄ ${back}`;
}

/** The runs by strategy, path and budget, in the order in which they first appear. */
export function operatingPoints(runs: readonly RunRow[]): readonly OperatingPoint[] {
  const groups = new Map<string, RunRow[]>();
  for (const run of runs) {
    const key = JSON.stringify([run.strategy, run.forward, run.back, run.budgetMs]);
    const group = groups.get(key);
    if (group) group.push(run);
    else groups.set(key, [run]);
  }
  return [...groups.values()].map(pooled);
}

function pooled(group: readonly RunRow[]): OperatingPoint {
  const runs = [...group].sort((a, b) => a.seed - b.seed);
  const { strategy, loss, burst, roundTripMs, budgetMs } = runs[0]!;
  const frames = sum(runs.map((run) => run.frames));
  const counts = runs.map((run) => ({ count: run.frames - run.framesOnTime, of: run.frames }));
  const delay = (name: keyof RunRow['delayMs']) => mean(runs.map((run) => run.delayMs[name]));
  return {
    strategy,
    path: pathName(runs[0]!),
    loss,
    burst,
    roundTripMs,
    budgetMs,
    runs,
    frames,
    missed: sum(counts.map(({ count }) => count)),
    misses: pooledShare(counts),
    overhead: mean(runs.map((run) => run.overhead)) ?? Number.NaN,
    delayMs: { p50: delay('p50'), p95: delay('p95'), p99: delay('p99'), p999: delay('p999') },
    stallRatio: mean(runs.map((run) => run.stallRatio)),
  };
}

export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** `undefined` as soon as one of the values is, and of none. */
export function mean(values: readonly (number | undefined)[]): number | undefined {
  const present = values.filter((value) => value !== undefined);
  return present.length === values.length && present.length > 0 ? sum(present) / present.length : undefined;
}

/** Each value once, in the order of appearance. */
export const distinct = <T>(values: Iterable<T>): readonly T[] => [...new Set(values)];
