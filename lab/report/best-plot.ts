import { distinct, type OperatingPoint } from './operating-point.ts';
import { finite, type Layout, type Plot, type PlotRow, type PlotSpec, panelWidth, smallPanelColumns } from './plot.ts';
import { chosenBy, strategyScales } from './plot-theme.ts';
import { percentText } from './quantity-text.ts';
import { type Case, cases, PANELS_MAX } from './reference-case.ts';
import { LIGHT, strategyStyles } from './strategy-style.ts';

/**
 * Returns the best strategy of a case: among the strategies whose miss ratio is statistically equal to the lowest
 * (overlapping 95 % intervals), the one with the least overhead.
 */
export function bestOf({ points }: Case): OperatingPoint | undefined {
  const known = points.filter(({ misses }) => !Number.isNaN(misses.value));
  const fewest = [...known].sort((a, b) => a.misses.value - b.misses.value)[0];
  if (!fewest) return undefined;
  const equals = known.filter(({ misses }) => misses.low <= fewest.misses.high);
  const cost = ({ overhead }: OperatingPoint) => (Number.isNaN(overhead) ? Number.POSITIVE_INFINITY : overhead);
  return equals.reduce((best, each) => (cost(each) < cost(best) ? each : best));
}

/** A cell of a map. Panels separate everything except loss and round-trip time. */
interface MapCell {
  readonly panel: string;
  readonly loss: string;
  readonly roundTrip: string;
  readonly point: OperatingPoint;
}

/** Map of the best strategy by loss and round-trip time. */
export function bestPlot(points: readonly OperatingPoint[]): Plot | undefined {
  const cells = mapCells(points);
  if (!cells) return undefined;
  const best = cases(points).flatMap((each) => {
    const chosen = bestOf(each);
    const cell = cells.all.find(({ point }) => point === chosen);
    return cell ? [cell] : [];
  });
  const { panels, axes } = cells;
  const shownPanels = panels.slice(0, PANELS_MAX);
  const rows: PlotRow[] = best.map(({ panel, loss, roundTrip, point }) => ({
    panel,
    loss,
    roundTrip,
    strategy: point.strategy,
    misses: finite(point.misses.value),
    missText: percentText(point.misses.value),
    overhead: finite(point.overhead),
    shown: shownPanels.includes(panel),
    label: `${panel}, loss ${loss}, round-trip time ${roundTrip}: ${point.strategy} misses ${percentText(point.misses.value)}`,
  }));
  const styles = strategyStyles(best.map(({ point }) => point.strategy));
  const spec = (layout: Layout): PlotSpec => {
    const columns = layout === 'narrow' ? 1 : Math.min(shownPanels.length, 3);
    const { fill } = strategyScales(styles, layout);
    const range = styles.map(({ color }) => color);
    const scale = { domain: styles.map(({ name }) => name), range };
    const width = panelWidth(layout, columns);
    const roomy = width / axes.x.values.length >= 54;
    return {
      ...facetOf(columns, shownPanels, width),
      spec: {
        width: Math.min(width, 110 * axes.x.values.length),
        height: 44 * axes.y.values.length,
        encoding: axesOf(axes),
        layer: [
          {
            mark: { type: 'rect', fillOpacity: 0.35, strokeWidth: 1, stroke: LIGHT.surface },
            encoding: { fill: { ...fill, scale }, description: { field: 'label', type: 'nominal' } },
          },
          ...(roomy
            ? [
                {
                  mark: { type: 'text', dy: -8, fontSize: 11, fontWeight: 600 },
                  encoding: { text: { field: 'strategy' } },
                },
                { mark: { type: 'text', dy: 8, fontSize: 10.5 }, encoding: { text: { field: 'missText' } } },
              ]
            : [
                {
                  mark: { type: 'point', size: 60, opacity: 1, strokeWidth: 1.4 },
                  encoding: {
                    shape: chosenBy(
                      'strategy',
                      styles.map(({ name, marker }) => [name, marker]),
                    ),
                    stroke: chosenBy(
                      'strategy',
                      styles.map(({ name, color }) => [name, color]),
                    ),
                  },
                },
              ]),
        ],
      },
    };
  };
  return {
    name: 'best',
    title: 'Best strategy by loss and round-trip time',
    caption:
      'Best strategy for each loss and round-trip time, with the frames it misses: among the strategies whose miss ratio is ' +
      'statistically equal to the lowest (overlapping 95 % intervals), the one with the least overhead.' +
      (panels.length > PANELS_MAX
        ? ` Only the first ${PANELS_MAX} of ${panels.length} maps are drawn; the data contains all.`
        : ''),
    alternative: `Map of the best strategy by loss and round-trip time. ${rows
      .slice(0, 40)
      .map(({ label }) => label)
      .join('. ')}.`,
    rows,
    spec,
  };
}

/** Map of each strategy's miss ratio by loss and round-trip time. */
export function missMapPlot(points: readonly OperatingPoint[]): Plot | undefined {
  const cells = mapCells(points);
  if (!cells) return undefined;
  const { axes, panels } = cells;
  const panel = panels[0]!;
  const rows: PlotRow[] = cells.all.map((cell) => ({
    panel: cell.panel,
    strategy: cell.point.strategy,
    loss: cell.loss,
    roundTrip: cell.roundTrip,
    misses: finite(cell.point.misses.value),
    drawn: Math.max(finite(cell.point.misses.value) ?? 1e-5, 1e-5),
    missText: mapText(cell.point.misses.value),
    shown: cell.panel === panel,
    label: `${cell.point.strategy}, loss ${cell.loss}, round-trip time ${cell.roundTrip}: ${percentText(cell.point.misses.value)}`,
  }));
  const styles = strategyStyles(points.map(({ strategy }) => strategy));
  const spec = (layout: Layout): PlotSpec => {
    const columns = layout === 'narrow' ? 1 : smallPanelColumns(layout, styles.length);
    const width = panelWidth(layout, columns);
    return {
      ...facetOf(
        columns,
        styles.map(({ name }) => name),
        width,
        'strategy',
      ),
      spec: {
        width: Math.min(width, 110 * axes.x.values.length),
        height: 32 * axes.y.values.length,
        encoding: axesOf(axes),
        layer: [
          {
            mark: { type: 'rect', strokeWidth: 1, stroke: LIGHT.surface },
            encoding: {
              fill: {
                field: 'drawn',
                type: 'quantitative',
                scale: { type: 'log', domain: [1e-5, 1], scheme: 'cividis' },
                legend: {
                  title: 'frames missed',
                  values: [1e-5, 1e-3, 1e-2, 0.1, 1],
                  labelExpr: "(datum.value < 2e-5 ? '≤ ' : '') + format(datum.value * 100, '~g') + ' %'",
                  labelOverlap: false,
                  gradientLength: layout === 'wide' ? 360 : 240,
                  titleColor: LIGHT.ink,
                  titleFontSize: 12,
                },
              },
              description: { field: 'label', type: 'nominal' },
            },
          },
          {
            mark: { type: 'text', fontSize: 11, ...(width / axes.x.values.length < 40 && { fontSize: 9 }) },
            encoding: {
              text: { field: 'missText' },
              color: { condition: { test: 'datum.drawn > 0.004', value: '#000000' }, value: '#fefefe' },
            },
          },
        ],
      },
    };
  };
  return {
    name: 'misses',
    title: 'Missed frames of each strategy by loss and round-trip time',
    caption: `Percentage of frames that were not decodable within the budget; ${panel}. Darker is better.`,
    alternative: `Map of frames missed by strategy, loss and round-trip time; ${panel}. The values are in the table.`,
    rows,
    spec,
  };
}

function facetOf(columns: number, sort: readonly string[], labelLimit: number, field: string = 'panel') {
  return {
    transform: [{ filter: 'datum.shown' }],
    facet: { field, type: 'nominal', sort, header: { labelLimit } },
    columns,
  };
}

interface Axes {
  readonly x: { readonly values: readonly string[] };
  readonly y: { readonly values: readonly string[] };
}

const axesOf = ({ x, y }: Axes) => ({
  x: {
    field: 'loss',
    type: 'nominal',
    sort: x.values,
    title: 'loss',
    axis: { labelAngle: 0, labelOverlap: false, labelFontSize: 10 },
  },
  y: { field: 'roundTrip', type: 'nominal', sort: y.values, title: 'round-trip time (ms)' },
});

/** `undefined` unless both loss and round-trip time vary, and where paths differ in something else, such as an outage. */
function mapCells(
  points: readonly OperatingPoint[],
): { readonly all: readonly MapCell[]; readonly panels: readonly string[]; readonly axes: Axes } | undefined {
  const losses = distinct(points.map(({ loss }) => loss)).toSorted((a, b) => a - b);
  const trips = distinct(points.map(({ roundTripMs }) => roundTripMs)).toSorted((a, b) => b - a);
  if (losses.length < 2 || trips.length < 2) return undefined;
  const sources = distinct(points.map(({ rows }) => rows[0]!.source));
  const all = points.map((point) => {
    const { source } = point.rows[0]!;
    const burst = point.burst > 1 ? `bursts of ${point.burst}` : 'independent losses';
    const panel = `${sources.length > 1 ? `${source}, ` : ''}${burst}, budget ${point.budgetMs} ms`;
    return { panel, loss: percentText(point.loss), roundTrip: tripText(point.roundTripMs), point };
  });
  const places = all.map(({ panel, loss, roundTrip, point }) => [panel, loss, roundTrip, point.strategy].join());
  if (distinct(places).length < all.length) return undefined;
  const panels = distinct(all.map(({ panel }) => panel));
  return {
    all,
    panels,
    axes: { x: { values: losses.map((loss) => percentText(loss)) }, y: { values: trips.map(tripText) } },
  };
}

/** Percentage without sign, two significant digits. */
const mapText = (share: number): string => (Number.isNaN(share) ? '–' : String(Number((share * 100).toPrecision(2))));

const tripText = (milliseconds: number): string => String(Number(milliseconds.toFixed(1)));
