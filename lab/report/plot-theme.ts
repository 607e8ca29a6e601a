import type { Layout, PlotSpec } from './plot.ts';
import { LIGHT, type StrategyStyle } from './strategy-style.ts';

const FONT = 'system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif';

const text = { font: FONT, fontSize: 12, color: LIGHT.ink };

/** The look of all pictures. Its colors are those of `LIGHT`, which the page replaces on a dark ground. */
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

/** How strategies are told apart, the same in all pictures: color, marker, and dash of the line. */
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
    // Not a scale: its legend would dash the outline of the markers.
    strokeDash: chosenBy(
      'strategy',
      styles.map(({ name, dash }) => [name, dash.length > 0 ? dash : [1, 0]]),
    ),
  };
}

/** A value of a mark by the value of a field, without a legend. */
export function chosenBy(field: string, values: readonly (readonly [name: string, value: unknown])[]) {
  return {
    condition: values.map(([name, value]) => ({
      test: `datum[${JSON.stringify(field)}] === ${JSON.stringify(name)}`,
      value,
    })),
    value: values[0]?.[1],
  };
}

/** The share of frames missed, reversed and by decades: the higher, the fewer. `floor` stands for none at all. */
export function missScale(floor: number) {
  const decades: number[] = [];
  for (let exponent = 0; 10 ** exponent > floor * 1.5; exponent--) decades.push(10 ** exponent);
  return {
    scale: { type: 'log', domain: [floor, 1], reverse: true, nice: false },
    axis: { values: [...decades, floor], labelExpr: missLabel(floor), format: '~%' },
  };
}

/** Vega's expression for a tick of `missScale`. */
function missLabel(floor: number): string {
  return `datum.value < ${floor * 1.5} ? '0' : format(datum.value * 100, '~g') + ' %'`;
}

/** A decade below what a single frame of so many weighs: where "none" is drawn. */
export function missFloor(frames: number): number {
  return frames > 0 ? 10 ** (Math.ceil(Math.log10(1 / frames)) - 1) : 0.001;
}

/** Logarithmic where the values are far apart; from the least of them either way. */
export function spreadScale(values: readonly number[]): Readonly<Record<string, unknown>> {
  const positive = values.filter((value) => value > 0);
  const far = positive.length > 1 && Math.max(...positive) / Math.min(...positive) >= 6;
  return far && positive.length === values.length ? { type: 'log', nice: false } : { zero: false, nice: false };
}
