import type { FrameRecord } from '../tables.ts';
import type { OperatingPoint } from './operating-point.ts';
import { finite, type Layout, type Plot, type PlotRow, type PlotSpec, panelWidth } from './plot.ts';
import { missFloor, spreadScale, strategyScales } from './plot-theme.ts';
import { millisecondsText, percentText } from './quantity-text.ts';
import { type Case, caseName } from './reference-case.ts';
import { LIGHT, strategyStyles } from './strategy-style.ts';

/** Tail reduction per step of a curve: about two hundred steps for a million frames. */
const TAIL_FACTOR = 0.94;

interface Step {
  readonly delayMs: number;
  /** Fraction of frames with a longer delay, including those that never arrive. */
  readonly later: number;
}

/** Distribution of the frame delay with a logarithmic tail; missed frames form its final plateau. */
export function delayPlot(
  shown: Case | undefined,
  frames: (cell: string) => readonly FrameRecord[] | undefined,
): Plot | undefined {
  if (!shown) return undefined;
  let counted = 0;
  let fromQuantiles = false;
  const curves = shown.points.map((point) => {
    const tables = point.rows.map(({ cell }) => frames(cell));
    const known = tables.every((table) => table !== undefined);
    if (!known) fromQuantiles = true;
    const steps = known ? stepsOf(tables.flat()) : quantileSteps(point);
    counted = Math.max(counted, point.frames);
    return { strategy: point.strategy, steps, sparse: !known };
  });
  const delays = curves.flatMap(({ steps }) => steps.map(({ delayMs }) => delayMs));
  if (delays.length === 0) return undefined;
  const floor = missFloor(counted);
  const end = Math.max(...delays, shown.budgetMs) * 1.15;
  const rows: PlotRow[] = curves.flatMap(({ strategy, steps, sparse }) => {
    const last = steps.at(-1);
    const plateau = last && last.later > 0 && !sparse ? [{ delayMs: end, later: last.later }] : [];
    return [...steps, ...plateau].map(({ delayMs, later }, index, all) => ({
      strategy,
      delayMs: finite(delayMs),
      later,
      drawn: Math.max(floor, later),
      budgetMs: shown.budgetMs,
      // Sparse markers distinguish the lines in print.
      marked: sparse || index % 24 === 12 || index === all.length - 1,
    }));
  });
  const styles = strategyStyles(curves.map(({ strategy }) => strategy));
  const spec = (layout: Layout): PlotSpec => {
    const scales = strategyScales(styles, layout);
    const labels = `datum.value < ${floor * 1.5} ? 'all' : format(100 - datum.value * 100, '~g') + ' %'`;
    const ticks = [1, 0.5, 0.1, 0.01, 0.001, 0.0001, 0.00001, 0.000001].filter((value) => value > floor * 1.5);
    const x = {
      field: 'delayMs',
      type: 'quantitative',
      title: 'frame delay, capture to decodable (ms)',
      scale: { ...spreadScale(delays), domainMax: end },
      axis: { format: ',.4~g', tickCount: layout === 'wide' ? 10 : 5 },
    };
    const y = {
      field: 'drawn',
      type: 'quantitative',
      title: 'frames decodable by then',
      scale: { type: 'log', domain: [floor, 1], reverse: true, nice: false },
      axis: { values: [...ticks, floor], labelExpr: labels },
    };
    return {
      width: panelWidth(layout, 1),
      height: layout === 'wide' ? 340 : 260,
      layer: [
        {
          transform: [{ aggregate: [{ op: 'max', field: 'budgetMs', as: 'budgetMs' }] }],
          mark: { type: 'rule', strokeDash: [3, 3], stroke: LIGHT.muted },
          encoding: { x: { ...x, field: 'budgetMs' } },
        },
        {
          transform: [{ aggregate: [{ op: 'max', field: 'budgetMs', as: 'budgetMs' }] }],
          mark: { type: 'text', align: 'right', baseline: 'top', dx: -5, y: 4, fontSize: 11 },
          encoding: { x: { ...x, field: 'budgetMs' }, text: { value: 'budget' } },
        },
        {
          mark: { type: 'line', interpolate: 'step-after', strokeWidth: 2, fill: null, clip: true },
          encoding: { x, y, stroke: scales.stroke, strokeDash: scales.strokeDash, order: { field: 'delayMs' } },
        },
        {
          transform: [{ filter: 'datum.marked' }],
          mark: { type: 'point', size: 60, strokeWidth: 1.5, opacity: 1 },
          encoding: { x, y, stroke: scales.stroke, fill: scales.fill, shape: scales.shape },
        },
      ],
    };
  };
  const finding = shown.points.map(
    (point) =>
      `${point.strategy}: half within ${millisecondsText(point.delayMsP50)}, 99 % within ${millisecondsText(point.delayMsP99)}, misses ${percentText(point.misses.value)}`,
  );
  return {
    name: 'delay',
    title: 'Frame delay',
    caption:
      `Fraction of frames that are decodable within a time after their capture; ${caseName(shown)}, all seeds together. The ` +
      'scale expands the tail: each step up leaves a tenth of the frames. A flat curve has reached the frames ' +
      `that never become decodable: its height is one minus the miss ratio.${fromQuantiles ? ' Without recorded frames, only the percentiles 50, 95, 99 and 99.9 are drawn, averaged over seeds.' : ''}`,
    alternative: `Distribution of the frame delay on ${caseName(shown)}. ${finding.join('. ')}.`,
    rows,
    spec,
  };
}

function stepsOf(records: readonly FrameRecord[]): Step[] {
  const delays = records
    .flatMap(({ decodableAt, capturedAt }) => (decodableAt === null ? [] : [(decodableAt - capturedAt) / 1_000]))
    .sort((a, b) => a - b);
  const steps: Step[] = [];
  const of = records.length;
  let next = Number.POSITIVE_INFINITY;
  for (const [index, delayMs] of delays.entries()) {
    const left = of - index - 1;
    if (left > next && index < delays.length - 1) continue;
    steps.push({ delayMs, later: left / of });
    next = Math.floor(left * TAIL_FACTOR);
  }
  return steps;
}

function quantileSteps(point: OperatingPoint): Step[] {
  const quantiles = [
    [point.delayMsP50, 0.5],
    [point.delayMsP95, 0.05],
    [point.delayMsP99, 0.01],
    [point.delayMsP999, 0.001],
  ] as const;
  return quantiles.flatMap(([delayMs, later]) =>
    delayMs !== undefined && Number.isFinite(delayMs) ? [{ delayMs, later }] : [],
  );
}
