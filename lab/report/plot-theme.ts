import type { Layout, PlotSpec } from './plot.ts';
import { LIGHT, type StrategyStyle } from './strategy-style.ts';

const FONT = 'system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif';

const text = { font: FONT, fontSize: 12, color: LIGHT.ink };

/** Theme of all plots, in the colors of `LIGHT`, which the page replaces on a dark background. */
export const THEME: PlotSpec = {
  background: LIGHT.surface,
  font: FONT,
  padding: 4,
  view: { stroke: LIGHT.grid },
  axis: {
    labelColor: LIGHT.ink,
    labelFontSize: 11,
    titleColor: LIGHT.ink,
    titleFontSize: 12,
    titleFontWeight: 600,
    titlePadding: 8,
    gridColor: LIGHT.grid,
    domainColor: LIGHT.muted,
    tickColor: LIGHT.muted,
    labelOverlap: 'greedy',
    labelFlush: false,
  },
  header: { labelColor: LIGHT.ink, labelFontSize: 12, labelFontWeight: 600, title: null, labelPadding: 6 },
  legend: {
    orient: 'bottom',
    labelColor: LIGHT.ink,
    labelFontSize: 12,
    symbolSize: 90,
    symbolStrokeWidth: 1.5,
    title: null,
    labelLimit: 220,
    columnPadding: 18,
    rowPadding: 4,
    offset: 14,
  },
  text,
  facet: { spacing: 26 },
};

/** Encodings that distinguish strategies in all plots: color, marker and line dash. */
export function strategyScales(styles: readonly StrategyStyle[], layout: Layout, legend: boolean = true) {
  const domain = styles.map(({ name }) => name);
  const scaleOf = (range: readonly unknown[]) => ({ domain, range });
  const channel = (range: readonly unknown[], shown: object | null = legend ? {} : null) => ({
    field: 'strategy',
    type: 'nominal',
    scale: scaleOf(range),
    legend: shown && { ...shown, columns: layout === 'wide' ? 8 : 3, symbolOpacity: 1 },
  });
  return {
    stroke: channel(styles.map(({ color }) => color)),
    fill: channel(styles.map(({ color, filled }) => (filled ? color : LIGHT.surface))),
    shape: channel(styles.map(({ marker }) => marker)),
    // A condition, because a scale would dash the outlines of the legend's markers.
    strokeDash: chosenBy(
      'strategy',
      styles.map(({ name, dash }) => [name, dash.length > 0 ? dash : [1, 0]]),
    ),
  };
}

/** Chooses a mark property by the value of a field, without a legend. */
export function chosenBy(field: string, values: readonly (readonly [name: string, value: unknown])[]) {
  return {
    condition: values.map(([name, value]) => ({
      test: `datum[${JSON.stringify(field)}] === ${JSON.stringify(name)}`,
      value,
    })),
    value: values[0]?.[1],
  };
}

/** Axis of the miss ratio, reversed and logarithmic, so higher is better. `floor` represents zero. */
export function missScale(floor: number) {
  const decades: number[] = [];
  for (let exponent = 0; 10 ** exponent > floor * 1.5; exponent--) decades.push(10 ** exponent);
  return {
    scale: { type: 'log', domain: [floor, 1], reverse: true, nice: false },
    axis: { values: [...decades, floor], labelExpr: missLabel(floor), format: '~%' },
  };
}

/** Vega label expression of `missScale`. */
function missLabel(floor: number): string {
  return `datum.value < ${floor * 1.5} ? '0' : format(datum.value * 100, '~g') + ' %'`;
}

/** Plot position of zero: one decade below the ratio of a single frame. */
export function missFloor(frames: number): number {
  return frames > 0 ? 10 ** (Math.ceil(Math.log10(1 / frames)) - 1) : 0.001;
}

/** Logarithmic scale when the values span a wide range, else linear; starts at the smallest value. */
export function spreadScale(values: readonly number[]): Readonly<Record<string, unknown>> {
  const positive = values.filter((value) => value > 0);
  const far = positive.length > 1 && Math.max(...positive) / Math.min(...positive) >= 6;
  return far && positive.length === values.length ? { type: 'log', nice: false } : { zero: false, nice: false };
}
