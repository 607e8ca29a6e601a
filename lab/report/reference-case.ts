import { distinct, type OperatingPoint, sum } from './operating-point.ts';

/** One path with one budget, and what every strategy made of it. */
export interface Case {
  readonly path: string;
  readonly budgetMs: number;
  readonly points: readonly OperatingPoint[];
}

export const caseName = ({ path, budgetMs }: Case): string => `${path}, budget ${budgetMs} ms`;

export function cases(points: readonly OperatingPoint[]): readonly Case[] {
  const byKey = new Map<string, OperatingPoint[]>();
  for (const point of points) {
    const key = JSON.stringify([point.path, point.budgetMs]);
    const group = byKey.get(key);
    if (group) group.push(point);
    else byKey.set(key, [point]);
  }
  return [...byKey.values()].map((group) => ({ path: group[0]!.path, budgetMs: group[0]!.budgetMs, points: group }));
}

/**
 * The case that pictures of a single case show: of those with the most strategies the one in which they differ most,
 * that is, with the largest spread of the logarithm of their misses. The first of equals.
 */
export function referenceCase(all: readonly Case[]): Case | undefined {
  const strategies = Math.max(0, ...all.map(({ points }) => points.length));
  let chosen: Case | undefined;
  let widest = -1;
  for (const each of all.filter(({ points }) => points.length === strategies)) {
    const spread = spreadOf(each);
    if (spread > widest * (1 + 1e-9)) {
      chosen = each;
      widest = spread;
    }
  }
  return chosen;
}

function spreadOf({ points }: Case): number {
  // Half a frame stands for none.
  const logs = points.map((point) => Math.log10(Math.max(point.missed, 0.5) / Math.max(point.frames, 1)));
  const center = sum(logs) / logs.length;
  return sum(logs.map((log) => (log - center) ** 2));
}

/** Pictures with a panel for each path show so many. */
export const PANELS_MAX = 6;

/** The paths with a panel of their own, by how many strategies are on them; and how many paths there are. */
export function panelPaths(points: readonly OperatingPoint[]): {
  readonly shown: readonly string[];
  readonly of: number;
} {
  const paths = distinct(points.map(({ path }) => path));
  if (paths.length <= PANELS_MAX) return { shown: paths, of: paths.length };
  // Evenly through their list, first and last included: lists are written from mild to harsh.
  const step = (paths.length - 1) / (PANELS_MAX - 1);
  const shown = Array.from({ length: PANELS_MAX }, (_, index) => paths[Math.round(index * step)]!);
  return { shown, of: paths.length };
}

/** The sentence about paths that have no panel, for a caption. */
export const panelNote = (shown: number, of: number): string =>
  of > shown ? ` ${shown} of ${of} paths are drawn, evenly through their list; the data has all of them.` : '';
