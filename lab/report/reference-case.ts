import { distinct, type OperatingPoint, sum } from './operating-point.ts';
import { type Layout, panelWidth } from './plot.ts';

/** One path with one budget, and the results of all strategies. */
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
 * Chooses the case for plots of a single case: among the cases with the most strategies, the one whose intervals
 * separate the most strategies, then the one with the largest spread of log misses; the first of equals.
 */
export function referenceCase(all: readonly Case[]): Case | undefined {
  const strategies = Math.max(0, ...all.map(({ points }) => points.length));
  let chosen: Case | undefined;
  let most = { levels: -1, spread: -1 };
  for (const each of all.filter(({ points }) => points.length === strategies)) {
    const found = { levels: levelsOf(each), spread: spreadOf(each) };
    const wider = found.levels === most.levels && found.spread > most.spread * (1 + 1e-9);
    if (found.levels > most.levels || wider) {
      chosen = each;
      most = found;
    }
  }
  return chosen;
}

/** Number of strategies, from the best, whose interval lies above that of the previously counted one. */
function levelsOf({ points }: Case): number {
  let levels = 0;
  let high = Number.NEGATIVE_INFINITY;
  for (const { misses } of [...points].sort((a, b) => a.misses.high - b.misses.high)) {
    if (misses.low <= high) continue;
    levels++;
    high = misses.high;
  }
  return levels;
}

function spreadOf({ points }: Case): number {
  // Zero counts as half a frame.
  const logs = points.map((point) => Math.log10(Math.max(point.missed, 0.5) / Math.max(point.frames, 1)));
  const center = sum(logs) / logs.length;
  return sum(logs.map((log) => (log - center) ** 2));
}

/** Maximum number of panels in plots with one panel per path. */
export const PANELS_MAX = 6;

/** Paths with panels and their titles, the words common to all paths, and the number of paths. */
export interface Panels {
  readonly titles: ReadonlyMap<string, string>;
  readonly common: string;
  readonly of: number;
}

export function panelsOf(points: readonly OperatingPoint[]): Panels {
  const paths = distinct(points.map(({ path }) => path));
  const { titles, common } = shortened(paths);
  if (paths.length <= PANELS_MAX) return { titles, common, of: paths.length };
  // Evenly spaced through the list including both ends, because lists usually go from mild to severe.
  const step = (paths.length - 1) / (PANELS_MAX - 1);
  const shown = Array.from({ length: PANELS_MAX }, (_, index) => paths[Math.round(index * step)]!);
  return { titles: new Map(shown.map((path) => [path, titles.get(path)!])), common, of: paths.length };
}

/** Removes the words that all paths share, separately for each direction. */
function shortened(paths: readonly string[]): Pick<Panels, 'titles' | 'common'> {
  const ways = paths.map((path) => path.split(' ⇄ ').map((way) => way.split(' ')));
  if (paths.length < 2 || new Set(ways.map(({ length }) => length)).size > 1) {
    return { titles: new Map(paths.map((path) => [path, path])), common: '' };
  }
  const shared = ways[0]!.map((words, way) => words.filter((word) => ways.every((each) => each[way]!.includes(word))));
  const left = ways.map((each) => each.map((words, way) => words.filter((word) => !shared[way]!.includes(word))));
  const named = left.map((each) => textOf(each).replace(/,$/, ''));
  // Different word orders could give two paths the same title.
  if (new Set(named).size < paths.length) return { titles: new Map(paths.map((path) => [path, path])), common: '' };
  return { titles: new Map(paths.map((path, index) => [path, named[index] || path])), common: textOf(shared) };
}

const textOf = ([forward = [], back = []]: readonly (readonly string[])[]): string =>
  (back.length > 0 ? `${forward.join(' ')} ⇄ ${back.join(' ')}` : forward.join(' ')).trim();

/** Facet with one panel per path; rows contain the panel's title as `panel`. */
export const panelFacet = ({ titles }: Panels, layout: Layout, columns: number) => ({
  // Text is measured without fonts here, about a third too wide.
  facet: {
    field: 'panel',
    type: 'nominal',
    sort: [...titles.values()],
    header: { labelLimit: panelWidth(layout, columns) * 1.45, labelFontSize: 11 },
  },
  columns,
});

/** Note for the caption: the shared words, and the paths without a panel. */
export function panelNote({ titles, common, of }: Panels): string {
  const shared = common === '' ? '' : ` All paths: ${common}.`;
  const drawn = ` ${titles.size} of ${of} paths are drawn, evenly spaced through the list; the data contains all.`;
  return of > titles.size ? shared + drawn : shared;
}
