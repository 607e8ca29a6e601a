import { type AtlasPoint, lastPosition } from '../../protocol/page/atlas-axes.ts';
import type { Atlas } from './atlas-data.ts';
import { type MapAxes, positionAt, type SquareCount, squareAt } from './map-squares.ts';

const SVG = 'http://www.w3.org/2000/svg';
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
