import { type AtlasPoint, axisValue, lastPosition, STEPS } from '../../protocol/page/atlas-axes.ts';
import { type Atlas, cheapestOfBest, nearestPoint } from './atlas-data.ts';
import { AXIS_NAMES, percentText, valueText } from './atlas-words.ts';

const SVG = 'http://www.w3.org/2000/svg';
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
  const missed = `${percentText(1 - row.inTime)} not in time`;
  if (row.inTime < USELESS) return { strategy: undefined, isTie: false, title: `none: ${missed}` };
  const isTie = row.standing !== 'best';
  return { strategy: row.strategy, isTie, title: `${row.strategy}${isTie ? `, tie of ${tied}` : ''}: ${missed}` };
}

/** Squares that show a strategy, and those of them where others cannot be told apart from it. */
export interface SquareCount {
  readonly all: number;
  readonly tied: number;
}

/** Draws the map. @returns squares by strategy, for the legend; the empty name counts those without one. */
export function drawMap(
  svg: SVGSVGElement,
  { atlas, position, axes }: { readonly atlas: Atlas; readonly position: AtlasPoint; readonly axes: MapAxes },
): ReadonlyMap<string, SquareCount> {
  const [columns, rows] = [axes.x, axes.y].map((axis) => lastPosition(atlas.manifest.axes[axis]!) + 1) as [
    number,
    number,
  ];
  svg.setAttribute('viewBox', `0 0 ${columns} ${rows}`);
  const colors = new Map(atlas.manifest.strategies.map((style) => [style.name, style]));
  const counts = new Map<string, SquareCount>();
  const squares: SVGElement[] = [];
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      const { strategy, isTie, title } = squareAt(atlas, positionAt(position, axes, { x, y }));
      const { all, tied } = counts.get(strategy ?? '') ?? { all: 0, tied: 0 };
      counts.set(strategy ?? '', { all: all + 1, tied: tied + (isTie ? 1 : 0) });
      const square = document.createElementNS(SVG, 'rect');
      square.setAttribute('x', String(x));
      square.setAttribute('y', String(rows - 1 - y));
      square.setAttribute('width', '1');
      square.setAttribute('height', '1');
      const style = strategy === undefined ? undefined : colors.get(strategy);
      square.style.fill = style ? `light-dark(${style.color}, ${style.colorDark})` : 'var(--none)';
      if (isTie) square.style.fillOpacity = '0.5';
      square.append(Object.assign(document.createElementNS(SVG, 'title'), { textContent: title }));
      squares.push(square);
    }
  }
  squares.push(marker(position[axes.x]!, rows - 1 - position[axes.y]!));
  svg.replaceChildren(...squares);
  return counts;
}

function marker(x: number, y: number): SVGElement {
  const ring = document.createElementNS(SVG, 'circle');
  ring.setAttribute('class', 'here');
  ring.setAttribute('cx', String(x + 0.5));
  ring.setAttribute('cy', String(y + 0.5));
  ring.setAttribute('r', '0.45');
  return ring;
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
