import type { OperatingPoint } from './operating-point.ts';
import { finite, type Layout, type Plot, type PlotSpec, panelColumns, panelWidth } from './plot.ts';
import { missFloor, missScale, strategyScales } from './plot-theme.ts';
import { percentText } from './quantity-text.ts';
import { panelFacet, panelNote, panelsOf } from './reference-case.ts';
import { LIGHT, strategyStyles } from './strategy-style.ts';

/** True when no other point of the path is at least as good in both figures and better in one. */
function onFront(point: OperatingPoint, others: readonly OperatingPoint[]): boolean {
  return !others.some(
    (other) =>
      other.overhead <= point.overhead &&
      other.misses.value <= point.misses.value &&
      (other.overhead < point.overhead || other.misses.value < point.misses.value),
  );
}

/** From what each point cost to what it would have to cost. */
function leastMarks(x: object, y: object, { stroke }: Pick<ReturnType<typeof strategyScales>, 'stroke'>): object[] {
  const transform = [{ filter: 'isValid(datum.leastPercent)' }];
  const least = { ...x, field: 'leastPercent' };
  return [
    {
      transform,
      mark: { type: 'rule', strokeWidth: 1, strokeDash: [1, 3], clip: true },
      encoding: { x: least, x2: { field: 'overheadPercent' }, y, stroke },
    },
    {
      transform,
      mark: { type: 'tick', orient: 'vertical', thickness: 2, size: 9, clip: true },
      encoding: { x: least, y, color: stroke },
    },
  ];
}

function limitNote(rows: readonly { readonly leastPercent: number | null }[]): string {
  if (rows.every(({ leastPercent }) => leastPercent === null)) return '';
  return (
    ' The short upright line at the end of a dotted one is the least overhead with which any scheme that codes frame by ' +
    'frame, with perfect feedback, brings as many frames whole and in time.'
  );
}

/** Cost of completeness: overhead versus missed frames, with the Pareto front of each path. */
export function overheadPlot(points: readonly OperatingPoint[]): Plot | undefined {
  const known = points.filter(({ overhead, misses }) => Number.isFinite(overhead) && Number.isFinite(misses.value));
  if (known.length === 0) return undefined;
  const panels = panelsOf(known);
  const styles = strategyStyles(known.map(({ strategy }) => strategy));
  const floor = missFloor(Math.max(...known.map(({ frames }) => frames)));
  const rows = known.map((point) => ({
    path: point.path,
    panel: panels.titles.get(point.path) ?? null,
    strategy: point.strategy,
    budgetMs: point.budgetMs,
    overheadPercent: point.overhead * 100,
    leastPercent: point.least?.scheme === undefined ? null : point.least.scheme * 100,
    misses: finite(point.misses.value),
    drawn: Math.max(floor, point.misses.value),
    front: onFront(
      point,
      known.filter(({ path }) => path === point.path),
    ),
    label: `${point.strategy}, budget ${point.budgetMs} ms: overhead ${percentText(point.overhead)}, misses ${percentText(point.misses.value)}`,
  }));
  const spec = (layout: Layout): PlotSpec => {
    const columns = panelColumns(layout, panels.titles.size);
    const scales = strategyScales(styles, layout);
    const x = {
      field: 'overheadPercent',
      type: 'quantitative',
      title: 'overhead, both directions (%)',
      scale: { zero: true, padding: 10, nice: false },
      axis: { format: ',.4~g', tickCount: 6 },
    };
    const y = {
      field: 'drawn',
      type: 'quantitative',
      title: 'frames missed (inverted axis)',
      ...missScale(floor),
    };
    return {
      transform: [{ filter: 'isValid(datum.panel)' }],
      ...panelFacet(panels, layout, columns),
      spec: {
        width: panelWidth(layout, columns),
        height: layout === 'narrow' || columns > 1 ? 240 : 320,
        layer: [
          {
            transform: [{ filter: 'datum.front' }],
            mark: { type: 'line', interpolate: 'step-after', stroke: LIGHT.muted, strokeWidth: 1, fill: null },
            encoding: { x, y, order: { field: 'overheadPercent' } },
          },
          ...(rows.every(({ leastPercent }) => leastPercent === null) ? [] : leastMarks(x, y, scales)),
          {
            // Connects the budgets of a strategy.
            mark: { type: 'line', strokeWidth: 1.2, opacity: 0.45, fill: null },
            encoding: { x, y, stroke: scales.stroke, order: { field: 'budgetMs' } },
          },
          {
            mark: { type: 'point', size: 70, strokeWidth: 1.6, opacity: 1 },
            encoding: {
              x,
              y,
              stroke: scales.stroke,
              fill: scales.fill,
              shape: scales.shape,
              description: { field: 'label', type: 'nominal' },
            },
          },
        ],
      },
    };
  };
  const front = rows.filter((row) => row.front && row.panel !== null).map((row) => `${row.path}: ${row.label}`);
  return {
    name: 'overhead',
    title: 'Overhead versus completeness',
    caption:
      'Frames missed over overhead: all bytes sent in both directions, including headers, repair, retransmissions and feedback, ' +
      'divided by the source bytes, minus one. One point per budget, connected by strategy. The thin gray steps are the Pareto front: no other point of the ' +
      `path has both fewer misses and less overhead. Up and to the left is better.${limitNote(rows)}${panelNote(panels)}`,
    alternative: `Scatter plot of overhead and missed frames. On the front: ${front.slice(0, 30).join('. ')}.`,
    rows,
    spec,
  };
}
