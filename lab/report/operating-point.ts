import type { RecoveryBound } from '../bounds/recovery-bound.ts';
import type { SecondPathFigures } from '../paths/second-path.ts';
import type { SoundFigures } from '../sound/sound-figures.ts';
import type { SummaryRow } from '../tables.ts';
import { type Interval, pooledShare } from './interval.ts';
import { leastOverhead } from './least-overhead.ts';

/** A row of the summary, with the columns of a second path and of the sound where the answer has them. */
export type PointRow = SummaryRow & Partial<SecondPathFigures> & Partial<SoundFigures>;

/** A strategy on a path with a budget, pooled over its seeds. */
export interface OperatingPoint {
  /** Strategy name with its parameters, if any. */
  readonly strategy: string;
  /** Path, with the source when there are several, as in plot titles. */
  readonly path: string;
  readonly loss: number;
  readonly burst: number;
  readonly roundTripMs: number;
  readonly budgetMs: number;
  /** Rows in the order of their seeds. */
  readonly rows: readonly PointRow[];
  readonly frames: number;
  /** Frames that were not decodable within the budget. */
  readonly missed: number;
  readonly misses: Interval;
  /** Mean over seeds. The delays below, milliseconds, are means too: ∞ when one seed's is; `undefined` when unknown. */
  readonly overhead: number;
  /** Least overhead at which as many frames can arrive whole in time; `undefined` where it is not known. */
  readonly least: RecoveryBound | undefined;
  readonly delayMsP50: number | undefined;
  readonly delayMsP95: number | undefined;
  readonly delayMsP99: number | undefined;
  readonly delayMsP999: number | undefined;
  /** Delay of decodable frames; `undefined` when a seed has none. */
  readonly deliveredMsP95: number | undefined;
  readonly stallRatio: number | undefined;
  /** Misses that the path's capacity makes unavoidable, and those of the causal oracle, means over seeds. */
  readonly limit: number | undefined;
  readonly causal: number | undefined;
}

const withoutSeed = (line: string): string => shortTraces(line.replace(/(^|\s)seed=\S+/g, '').trim());

/** Shortens a recording to its file name and the start of its hash. */
const shortTraces = (line: string): string => line.replace(/(trace=)(?:[^\s/]*\/)*([^\s/#]+)(#\S{4})?\S*/g, '$1$2$3');

/** Name of a path: the forward link, the back link when it differs, and the second path if any; without seeds. */
export function pathName({ forward, back, secondForward, secondBack }: PathColumns): string {
  const first = nameOfLinks(withoutSeed(forward), withoutSeed(back), ' ⇄ ');
  if (secondForward == null) return first;
  const links = [secondForward, secondBack ?? secondForward].map(withoutSeed) as [string, string];
  // One word with the first of the link, so that titles which omit common words keep both together.
  return `${first} ∥${nameOfLinks(...links, ' / back ')}`;
}

type PathColumns = Pick<SummaryRow, 'forward' | 'back'> &
  Partial<Pick<SecondPathFigures, 'secondForward' | 'secondBack'>>;

function nameOfLinks(forward: string, back: string, between: string): string {
  const name = forward === '' ? 'a clean path' : forward;
  return back === forward || back === '' ? name : `${name}${between}${back}`;
}

export const strategyName = ({ strategy, parameters }: Pick<SummaryRow, 'strategy' | 'parameters'>): string =>
  parameters === '' ? strategy : `${strategy} ${parameters}`;

/** Groups rows by strategy, path (with source and release) and budget, in order of first appearance. */
export function operatingPoints(all: readonly PointRow[]): readonly OperatingPoint[] {
  const sources = distinct(all.map(({ source }) => source)).length;
  const releases = distinct(all.map(({ release }) => release)).length;
  const groups = new Map<string, { readonly path: string; readonly rows: PointRow[] }>();
  for (const row of all) {
    const path = [
      ...(sources > 1 ? [row.source] : []),
      pathName(row),
      ...(releases > 1 ? [`release ${row.release}`] : []),
    ].join(', ');
    const key = JSON.stringify([strategyName(row), path, row.budgetMs]);
    const group = groups.get(key);
    if (group) group.rows.push(row);
    else groups.set(key, { path, rows: [row] });
  }
  return [...groups.values()].map(({ path, rows }) => pooled(path, rows));
}

function pooled(path: string, group: readonly PointRow[]): OperatingPoint {
  const rows = [...group].sort((a, b) => a.seed - b.seed);
  const first = rows[0]!;
  const counts = rows.map((row) => ({ count: row.frames - row.framesInTime, of: row.frames }));
  const delayMs = (pick: (row: SummaryRow) => number | null) => {
    const microseconds = mean(rows.map(pick));
    return microseconds === undefined ? undefined : microseconds / 1_000;
  };
  return {
    strategy: strategyName(first),
    path,
    loss: first.linkLoss,
    burst: first.linkBurst,
    roundTripMs: first.linkRttMs,
    budgetMs: first.budgetMs,
    rows,
    frames: sum(rows.map((row) => row.frames)),
    missed: sum(counts.map(({ count }) => count)),
    misses: pooledShare(counts),
    overhead: mean(rows.map((row) => row.overhead)) ?? Number.NaN,
    least: leastOverhead(rows),
    delayMsP50: delayMs((row) => row.delayUsP50),
    delayMsP95: delayMs((row) => row.delayUsP95),
    delayMsP99: delayMs((row) => row.delayUsP99),
    delayMsP999: delayMs((row) => row.delayUsP999),
    deliveredMsP95: delayMs((row) => row.deliveredUsP95),
    stallRatio: mean(rows.map((row) => row.stallRatio)),
    limit: mean(rows.map((row) => row.limitMissRatio)),
    causal: mean(rows.map((row) => row.causalMissRatio)),
  };
}

export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Mean of values; `undefined` when one is unknown or there are none. */
export function mean(values: readonly (number | null)[]): number | undefined {
  const present = values.filter((value) => value !== null);
  return present.length === values.length && present.length > 0 ? sum(present) / present.length : undefined;
}

/** Returns each value once, in order of appearance. */
export const distinct = <T>(values: Iterable<T>): readonly T[] => [...new Set(values)];
