import { type AtlasPoint, axisValue, STEPS } from '../../protocol/page/atlas-axes.ts';
import { type Atlas, cheapestOfBest, nearestPoint } from './atlas-data.ts';
import { AXIS_NAMES, shareText, valueText } from './atlas-words.ts';

/** Below this share of frames in time, no strategy is of use. */
const USELESS = 0.5;

/** Axes of the map, by their numbers. */
export interface MapAxes {
  readonly x: number;
  readonly y: number;
}

/** One square: the computed point that it shows, and the strategy named there. */
export interface Square {
  /** Strategy; `undefined` where the best has less than half of the frames in time. */
  readonly strategy: string | undefined;
  readonly isTie: boolean;
  readonly title: string;
}

/** Returns what a position shows. */
export function squareAt(atlas: Atlas, position: AtlasPoint): Square {
  const { rows } = nearestPoint(atlas, position);
  const { row, tied } = cheapestOfBest(rows);
  const missed = `${shareText(1 - row.inTime)} not in time`;
  if (row.inTime < USELESS) return { strategy: undefined, isTie: false, title: `none: ${missed}` };
  const isTie = row.standing !== 'best';
  return { strategy: row.strategy, isTie, title: `${row.strategy}${isTie ? `, tie of ${tied}` : ''}: ${missed}` };
}

/** Squares that show a strategy, and those of them where others cannot be told apart from it. */
export interface SquareCount {
  readonly all: number;
  readonly tied: number;
}

export function positionAt(position: AtlasPoint, { x, y }: MapAxes, at: { x: number; y: number }): AtlasPoint {
  return position.map((each, axis) => (axis === x ? at.x : axis === y ? at.y : each));
}

/** Values at the knots of an axis, the labels of a side of the map. */
export function knotTexts({ manifest }: Atlas, axis: number): readonly string[] {
  const of = manifest.axes[axis]!;
  return of.knots.map((_, knot) => valueText(of.name, axisValue(of, knot * STEPS)));
}

/** Says in words what the map shows: a strategy wins where it is best, not where it is the cheapest of a tie. */
export function mapText({ manifest }: Atlas, axes: MapAxes, counts: ReadonlyMap<string, SquareCount>): string {
  const total = [...counts.values()].reduce((sum, { all }) => sum + all, 0);
  const shareText = (squares: number) => `${Math.round((squares * 100) / total)} %`;
  const parts = [...counts]
    .sort(([, one], [, other]) => other.all - one.all)
    .map(([name, { all, tied }]) => {
      if (name === '') return `none of use ${shareText(all)}`;
      if (tied === 0) return `${name} ${shareText(all)}`;
      const tie = `the cheapest of a tie ${shareText(tied)}`;
      return tied === all ? `${name} ${tie}` : `${name} ${shareText(all - tied)} and ${tie}`;
    });
  const [x, y] = [axes.x, axes.y].map((axis) => AXIS_NAMES[manifest.axes[axis]!.name].toLowerCase());
  const lead = manifest.strategies.length === 1 ? 'What is of use' : 'Who wins';
  return `${lead} by ${x} and ${y}: ${parts.join(', ')}`;
}
