import { type Layout, type Plot, type PlotRow, type PlotSpec, panelWidth } from '../report/plot.ts';
import { LIGHT } from '../report/strategy-style.ts';
import type { FitCheck } from './check-fit.ts';

/** Points of a drawn distribution function. */
const POINTS = 240;
const KINDS = ['measured', 'fitted'] as const;

/** Delays above the least one: measured, and of the fitted link on the recorded schedule. */
export function captureDelayPlot({ measuredDelays, simulatedDelays, delayDifference }: FitCheck): Plot | undefined {
  if (delayDifference === undefined) return undefined;
  const zero = measuredDelays.reduce((least, each) => Math.min(least, each), Number.POSITIVE_INFINITY);
  const rows: PlotRow[] = [];
  for (const [kind, delays] of [
    ['measured', measuredDelays],
    ['fitted', simulatedDelays],
  ] as const) {
    const sorted = delays.slice().sort();
    for (let point = 0; point <= POINTS; point++) {
      const index = Math.round((point / POINTS) * (sorted.length - 1));
      rows.push({ kind, delayMs: (sorted[index]! - zero) / 1_000, share: (index + 1) / sorted.length });
    }
  }
  return {
    name: 'delays',
    title: 'Delays',
    caption:
      'Share of the packets that a delay above the least measured one was enough for. Fitted: the link, carrying the recorded schedule.',
    alternative: `The two distributions differ by at most ${delayDifference.toFixed(3)}.`,
    rows,
    spec: (layout) => curves(layout, 'delayMs', 'delay above the least (ms)', 'linear'),
  };
}

/** Lengths of runs of losses, measured and of the fitted link. */
export function captureRunPlot({ measuredRuns, simulatedRuns, runDifference }: FitCheck): Plot | undefined {
  if (runDifference === undefined || simulatedRuns.length === 0) return undefined;
  const rows: PlotRow[] = [];
  for (const [kind, runs] of [
    ['measured', measuredRuns],
    ['fitted', simulatedRuns],
  ] as const) {
    const sorted = Float64Array.from(runs).sort();
    for (let index = 0; index < sorted.length; index++) {
      if (sorted[index] === sorted[index + 1]) continue;
      rows.push({ kind, length: sorted[index]!, share: (index + 1) / sorted.length });
    }
  }
  return {
    name: 'runs',
    title: 'Runs of losses',
    caption: 'Share of the runs of losses that are at most this long.',
    alternative: `The two distributions differ by at most ${runDifference.toFixed(3)}.`,
    rows,
    spec: (layout) => curves(layout, 'length', 'packets lost in a row', 'log'),
  };
}

function curves(layout: Layout, field: string, title: string, scale: 'linear' | 'log'): PlotSpec {
  const stroke = { field: 'kind', scale: { domain: [...KINDS], range: [LIGHT.ink, COLOR] }, legend: {} };
  const strokeDash = {
    field: 'kind',
    scale: {
      domain: [...KINDS],
      range: [
        [1, 0],
        [6, 3],
      ],
    },
    legend: {},
  };
  return {
    width: panelWidth(layout, 1),
    height: layout === 'wide' ? 300 : 240,
    mark: { type: 'line', interpolate: 'step-after', strokeWidth: 2, fill: null },
    encoding: {
      x: { field, type: 'quantitative', title, scale: { type: scale, nice: false }, axis: { format: ',.4~g' } },
      y: {
        field: 'share',
        type: 'quantitative',
        title: 'share at most',
        scale: { domain: [0, 1] },
        axis: { format: '%' },
      },
      stroke,
      strokeDash,
      order: { field },
    },
  };
}

/** Color of the fitted link in both plots. */
export const COLOR = '#0072b2';
export const COLOR_DARK = '#56b4e9';
