import { distinct, type OperatingPoint } from './operating-point.ts';
import { finite, type Layout, type Plot, type PlotSpec, panelColumns, panelWidth } from './plot.ts';
import { missFloor, missScale, spreadScale, strategyScales } from './plot-theme.ts';
import { percentText } from './quantity-text.ts';
import { panelFacet, panelNote, panelsOf } from './reference-case.ts';
import { soundOf } from './sound-point.ts';
import { LIGHT, strategyStyles } from './strategy-style.ts';

/** Content of a frontier plot. */
interface Measure {
  readonly name: string;
  readonly title: string;
  /** Units that can be missed, for labels and the vertical axis. */
  readonly units: string;
  readonly axis: string;
  /** Beginning of the caption, before the sentence about the budget. */
  readonly caption: string;
  /** Fate of a unit that was missed. */
  readonly verb: string;
  /** True to draw over the budget even when there is only one. */
  readonly alwaysByBudget: boolean;
}

const FRAMES: Measure = {
  name: 'frontier',
  title: 'Completeness versus latency',
  units: 'frames',
  axis: 'frames missed (inverted axis)',
  caption: 'Fraction of frames that were not decodable',
  verb: 'misses',
  alwaysByBudget: false,
};

const SOUND: Measure = {
  name: 'sound',
  title: 'Sound versus latency',
  units: 'units of sound',
  axis: 'sound concealed (inverted axis)',
  caption: 'Fraction of the sound that was not there when it was due, and has to be concealed,',
  verb: 'conceals',
  alwaysByBudget: true,
};

/** The frontier plot of the sound, over the points that have it. */
export function soundPlot(points: readonly OperatingPoint[]): Plot | undefined {
  const heard = points.flatMap((point): OperatingPoint[] => {
    const sound = soundOf(point);
    if (!sound) return [];
    const { units, concealed, share } = sound;
    return [{ ...point, frames: units, missed: concealed, misses: share, limit: undefined, causal: undefined }];
  });
  return frontierPlot(heard, SOUND);
}

/**
 * Completeness–latency frontier: missed frames over latency, one line per strategy, one panel per path. The main plot
 * of this project.
 */
export function frontierPlot(points: readonly OperatingPoint[], measure = FRAMES): Plot | undefined {
  if (points.length === 0) return undefined;
  const panels = panelsOf(points);
  const styles = strategyStyles(points.map(({ strategy }) => strategy));
  const floor = missFloor(Math.max(...points.map(({ frames }) => frames)));
  const byBudget = measure.alwaysByBudget || distinct(points.map(({ budgetMs }) => budgetMs)).length > 1;
  const latency = ({ budgetMs, deliveredMsP95 }: OperatingPoint) => (byBudget ? budgetMs : deliveredMsP95);
  const rows = points.map((point) => ({
    path: point.path,
    panel: panels.titles.get(point.path) ?? null,
    strategy: point.strategy,
    latencyMs: finite(latency(point)),
    budgetMs: point.budgetMs,
    deliveredP95Ms: finite(point.deliveredMsP95),
    seeds: point.rows.length,
    frames: point.frames,
    missed: point.missed,
    misses: finite(point.misses.value),
    low: point.misses.low,
    high: point.misses.high,
    // Plotted values: zero is drawn at the floor.
    drawn: Math.max(floor, finite(point.misses.value) ?? floor),
    drawnLow: Math.max(floor, point.misses.low),
    drawnHigh: Math.max(floor, point.misses.high),
    limit: point.limit ?? null,
    drawnLimit: point.limit === undefined ? null : Math.max(floor, point.limit),
    drawnCausal: point.causal === undefined ? null : Math.max(floor, point.causal),
    label: `${point.strategy}: ${point.missed} of ${point.frames} ${measure.units} missed (${percentText(point.misses.value)}), budget ${point.budgetMs} ms, ${point.path}`,
  }));
  const latencies = rows.flatMap(({ latencyMs }) => (latencyMs === null ? [] : [latencyMs]));
  if (latencies.length === 0) return undefined;
  const spec = (layout: Layout): PlotSpec => {
    const columns = panelColumns(layout, panels.titles.size);
    const scales = strategyScales(styles, layout);
    const { scale, axis } = missScale(floor);
    const ticks = byBudget ? { values: distinct(latencies), format: ',.4~g' } : { tickCount: 6, format: ',.4~g' };
    const title = byBudget ? 'latency budget (ms)' : 'delay of decodable frames, 95th percentile (ms)';
    const x = {
      field: 'latencyMs',
      type: 'quantitative',
      title,
      scale: { ...spreadScale(latencies), padding: 14 },
      axis: { ...ticks, labelOverlap: 'greedy' },
    };
    const y = {
      field: 'drawn',
      type: 'quantitative',
      title: measure.axis,
      scale,
      axis,
    };
    const description = { field: 'label', type: 'nominal' };
    return {
      transform: [{ filter: 'isValid(datum.panel) && isValid(datum.latencyMs)' }],
      ...panelFacet(panels, layout, columns),
      spec: {
        width: panelWidth(layout, columns),
        height: layout === 'narrow' || columns > 1 ? 260 : 380,
        layer: [
          ...(byBudget ? limitLines(rows, x, y) : []),
          {
            mark: { type: 'rule', strokeWidth: 1, opacity: 0.55, clip: true },
            encoding: { x, y: { ...y, field: 'drawnLow' }, y2: { field: 'drawnHigh' }, stroke: scales.stroke },
          },
          {
            mark: { type: 'line', strokeWidth: 2, fill: null },
            encoding: { x, y, stroke: scales.stroke, strokeDash: scales.strokeDash },
          },
          {
            mark: { type: 'point', size: 70, strokeWidth: 1.6, opacity: 1 },
            encoding: { x, y, stroke: scales.stroke, fill: scales.fill, shape: scales.shape, description },
          },
        ],
      },
    };
  };
  return {
    name: measure.name,
    title: measure.title,
    caption:
      `${measure.caption} ${byBudget ? 'within the latency budget' : 'in time'}, all seeds together, over ` +
      `${byBudget ? 'the budget' : 'the 95th percentile of the delay of decodable frames'}. ` +
      'Up and to the left is better. Vertical lines are 95 % intervals: the wider of Wilson’s over frames and, with at least ' +
      `three seeds, Student’s over seeds. Points at 0 ${measure === FRAMES ? 'missed no frame' : 'conceal nothing'}.${limitNote(byBudget, rows)}${panelNote(panels)}`,
    alternative: frontierAlternative(points, [...panels.titles.keys()], measure),
    rows,
    spec,
  };
}

interface LimitRow {
  readonly drawnLimit: number | null;
  readonly drawnCausal: number | null;
}

/** Lines of the capacity's limit, one a panel, where paths have one. */
function limitLines(rows: readonly LimitRow[], x: object, y: object): readonly object[] {
  const line = (field: 'drawnLimit' | 'drawnCausal', strokeDash: readonly number[]) =>
    rows.every((row) => row[field] === null)
      ? []
      : [
          {
            transform: [
              { filter: `isValid(datum.${field})` },
              { aggregate: [{ op: 'mean', field, as: field }], groupby: ['panel', 'latencyMs'] },
            ],
            mark: { type: 'line', strokeWidth: 1.5, strokeDash, stroke: LIGHT.muted, fill: null },
            encoding: { x, y: { ...y, field } },
          },
        ];
  return [...line('drawnLimit', [6, 3]), ...line('drawnCausal', [1, 3])];
}

function limitNote(byBudget: boolean, rows: readonly LimitRow[]): string {
  if (!byBudget || rows.every(({ drawnLimit }) => drawnLimit === null)) return '';
  const limit = ' The dashed gray line is the limit of the path’s capacity: no sender can miss fewer frames.';
  if (rows.every(({ drawnCausal }) => drawnCausal === null)) return limit;
  return `${limit} The dotted one is a source that knows the past capacity exactly, at 60 % of the greatest rate or more.`;
}

function frontierAlternative(
  points: readonly OperatingPoint[],
  paths: readonly string[],
  { units, verb }: Measure,
): string {
  const lines = paths.map((path) => {
    const here = points.filter((point) => point.path === path);
    const budget = Math.max(...here.map(({ budgetMs }) => budgetMs));
    const widest = here.filter(({ budgetMs }) => budgetMs === budget).sort((a, b) => a.misses.value - b.misses.value);
    return `${path}, budget ${budget} ms: ${widest.map(({ strategy, misses }) => `${strategy} ${verb} ${percentText(misses.value)}`).join(', ')}`;
  });
  return `Line chart of ${units} missed by strategy. ${lines.join('. ')}.`;
}
