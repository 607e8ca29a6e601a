/** For a page 1,000 pixels wide, or for a telephone. */
export type Layout = 'wide' | 'narrow';

/** A Vega-Lite specification without its `data`; what is in it is checked by the schema in the tests. */
export type PlotSpec = Readonly<Record<string, unknown>>;

export type PlotValue = string | number | boolean | null;
export type PlotRow = Readonly<Record<string, PlotValue>>;

/** A picture before it is drawn. */
export interface Plot {
  /** Of its files, in kebab-case. */
  readonly name: string;
  readonly title: string;
  /** What it shows and how that was computed. */
  readonly caption: string;
  /** What a reader sees who cannot see it: the finding in a sentence or two. */
  readonly alternative: string;
  /** All of its data; a finite number or `null`, never ∞ or NaN. */
  readonly rows: readonly PlotRow[];
  readonly spec: (layout: Layout) => PlotSpec;
}

/** Outer width of the drawings, pixels. */
const WIDTHS: Readonly<Record<Layout, number>> = { wide: 980, narrow: 356 };

/** What the axis of the first panel and the gaps between panels take, pixels. */
const AXIS = 64;
const GAP = 26;

/** Width of each of so many panels side by side. */
export function panelWidth(layout: Layout, columns: number): number {
  return Math.floor((WIDTHS[layout] - AXIS - GAP * (columns - 1)) / columns - 6);
}

/** How many of so many panels stand side by side. */
export function panelColumns(layout: Layout, panels: number): number {
  if (layout === 'narrow') return 1;
  return panels === 4 ? 2 : Math.min(3, panels);
}

/** The same for small panels, a few more of which fit: rows as even as can be. */
export function smallPanelColumns(layout: Layout, panels: number): number {
  const most = layout === 'narrow' ? 2 : 5;
  return Math.ceil(panels / Math.ceil(panels / most));
}

/** A number that a picture can hold. */
export const finite = (value: number | undefined): number | null =>
  value !== undefined && Number.isFinite(value) ? value : null;
