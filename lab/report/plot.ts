/** Page width: about 1,000 pixels, or a phone. */
export type Layout = 'wide' | 'narrow';

/** A Vega-Lite specification without `data`; validated against the schema in the tests. */
export type PlotSpec = Readonly<Record<string, unknown>>;

export type PlotValue = string | number | boolean | null;
export type PlotRow = Readonly<Record<string, PlotValue>>;

/** A plot before rendering. */
export interface Plot {
  /** Base name of its files, kebab-case. */
  readonly name: string;
  readonly title: string;
  /** Content of the plot and method of computation. */
  readonly caption: string;
  /** Text alternative: the result in one or two sentences. */
  readonly alternative: string;
  /** All data; finite numbers or `null`, never ∞ or NaN. */
  readonly rows: readonly PlotRow[];
  readonly spec: (layout: Layout) => PlotSpec;
}

/** Total width of the drawings, pixels. */
const WIDTHS: Readonly<Record<Layout, number>> = { wide: 980, narrow: 356 };

/** Width of the first panel's axis, and of gaps between panels, pixels. */
const AXIS = 64;
const GAP = 26;

/** Width of one of several panels side by side, pixels. */
export function panelWidth(layout: Layout, columns: number): number {
  return Math.floor((WIDTHS[layout] - AXIS - GAP * (columns - 1)) / columns - 6);
}

/** Number of panels side by side. */
export function panelColumns(layout: Layout, panels: number): number {
  if (layout === 'narrow') return 1;
  return panels === 4 ? 2 : Math.min(3, panels);
}

/** Number of small panels side by side, with evenly filled rows. */
export function smallPanelColumns(layout: Layout, panels: number): number {
  const most = layout === 'narrow' ? 2 : 5;
  return Math.ceil(panels / Math.ceil(panels / most));
}

/** Returns a finite number, or `null`. */
export const finite = (value: number | undefined): number | null =>
  value !== undefined && Number.isFinite(value) ? value : null;
