/** Appearance of a strategy in all plots, on the page and in print. */
export interface StrategyStyle {
  readonly name: string;
  /** Color on a light background and in print; contrast at least 3 : 1 against white (WCAG 2.2 §1.4.11). */
  readonly color: string;
  /** Color on a dark background; contrast at least 3 : 1 against `DARK.surface`. */
  readonly colorDark: string;
  /** Vega symbol: a name, or a path in the square from −1 to 1. */
  readonly marker: string;
  /** Filled: dropframe over UDP; hollow: TCP. Distinguishes the families in grayscale too. */
  readonly filled: boolean;
  /** Lengths of dashes and gaps, pixels; empty: solid. */
  readonly dash: readonly number[];
}

const PLUS = 'M-1,-.34H-.34V-1H.34V-.34H1V.34H.34V1H-.34V.34H-1Z';
const CROSS = 'M-1,-.6L-.6,-1L0,-.4L.6,-1L1,-.6L.4,0L1,.6L.6,1L0,.4L-.6,1L-1,.6L-.4,0Z';
const HOURGLASS = 'M-1,-1H1L.3,0L1,1H-1L-.3,0Z';
const BOW_TIE = 'M-1,-1L0,-.3L1,-1V1L0,.3L-1,1Z';
const PENTAGON = 'M0,-1L.95,-.31L.59,.81L-.59,.81L-.95,-.31Z';
const HEXAGON = 'M-.5,-.87H.5L1,0L.5,.87H-.5L-1,0Z';
const STAR = 'M0,-1L.26,-.36L.95,-.31L.42,.14L.59,.81L0,.44L-.59,.81L-.42,.14L-.95,-.31L-.26,-.36Z';

/**
 * Okabe and Ito's color-blind safe palette, darkened for contrast on white. A warm color marks hybrid; the other UDP
 * strategies are cool.
 */
const KNOWN: readonly StrategyStyle[] = [
  { name: 'none', color: '#767676', colorDark: '#a8a8a8', marker: PLUS, filled: true, dash: [2, 2] },
  { name: 'reorder', color: '#3c94c8', colorDark: '#7cc7ee', marker: 'triangle-down', filled: true, dash: [6, 3] },
  { name: 'nack', color: '#0060a0', colorDark: '#4a9fe0', marker: 'circle', filled: true, dash: [10, 3] },
  { name: 'fec', color: '#008a64', colorDark: '#2fc79a', marker: 'square', filled: true, dash: [10, 3, 2, 3] },
  { name: 'hybrid', color: '#d04a00', colorDark: '#ff8442', marker: 'diamond', filled: true, dash: [] },
  { name: 'tcp-reno', color: '#b37700', colorDark: '#f0b840', marker: 'triangle-up', filled: false, dash: [4, 4] },
  { name: 'tcp-cubic', color: '#b4528a', colorDark: '#e39ac4', marker: 'square', filled: false, dash: [6, 3, 2, 3] },
  { name: 'tcp-bbr', color: '#1a1a1a', colorDark: '#f4f4f4', marker: 'circle', filled: false, dash: [1, 3] },
  { name: 'duplicate', color: '#7a6a00', colorDark: '#cdbb3c', marker: 'triangle-left', filled: true, dash: [4, 2] },
  { name: 'rs-block', color: '#5f6f00', colorDark: '#a9bd3a', marker: 'triangle-right', filled: true, dash: [12, 4] },
  { name: 'flexfec', color: '#9a3f6f', colorDark: '#e08ab6', marker: CROSS, filled: true, dash: [2, 4, 8, 4] },
  {
    name: 'hairpin',
    color: '#3d4f8f',
    colorDark: '#8fa4ec',
    marker: 'triangle-up',
    filled: true,
    dash: [8, 2, 2, 2],
  },
  { name: 'tambur', color: '#8f2d1c', colorDark: '#f08a74', marker: HOURGLASS, filled: true, dash: [5, 1] },
  {
    name: 'paths-duplicate',
    color: '#00707a',
    colorDark: '#5cc8d4',
    marker: HEXAGON,
    filled: true,
    dash: [2, 2, 6, 2],
  },
  { name: 'paths-split', color: '#5b3fa8', colorDark: '#b4a2f2', marker: PENTAGON, filled: true, dash: [7, 2] },
  { name: 'paths-coded', color: '#b8223f', colorDark: '#ff8a9c', marker: BOW_TIE, filled: true, dash: [14, 3] },
];

/** Styles for unknown strategies, used in turn. */
const SPARE: readonly Omit<StrategyStyle, 'name'>[] = [
  { color: '#6a51a3', colorDark: '#b6a3e0', marker: STAR, filled: true, dash: [12, 2] },
  { color: '#8c5109', colorDark: '#d8a15c', marker: 'triangle-left', filled: true, dash: [3, 1] },
  { color: '#4d6b1f', colorDark: '#a5c76a', marker: 'triangle-right', filled: true, dash: [8, 2, 2, 2, 2, 2] },
  { color: '#a01c3c', colorDark: '#f07f97', marker: STAR, filled: false, dash: [5, 5] },
];

export const STRATEGY_STYLES: readonly StrategyStyle[] = KNOWN;

const known = new Map(KNOWN.map((style) => [style.name, style]));

/** Background and text colors; `LIGHT` is also used for the SVG files. */
export const LIGHT = { surface: '#ffffff', ink: '#1d2127', muted: '#5a626d', grid: '#e3e6ea' } as const;
export const DARK = { surface: '#14171c', ink: '#e8eaed', muted: '#a3abb6', grid: '#2c323b' } as const;

/**
 * Returns the styles of these strategies, without duplicates, in the common order of all plots and tables. A known
 * strategy with parameters (`hybrid redundancy=0.5`) or over the kernel (`tcp-kernel-reno`) keeps its color and gets a
 * marker of its own.
 */
export function strategyStyles(names: Iterable<string>): readonly StrategyStyle[] {
  const asked = [...new Set(names)].sort();
  const baseOf = (name: string) => known.get(name.split(' ', 1)[0]!.replace(/^udp-kernel-|(?<=^tcp-)kernel-/, ''));
  const ordered = [
    ...KNOWN.flatMap((style) => {
      const those = asked.filter((name) => baseOf(name) === style);
      return [...those.filter((name) => name === style.name), ...those.filter((name) => name !== style.name)];
    }),
    ...asked.filter((name) => baseOf(name) === undefined),
  ];
  let spares = 0;
  return ordered.map((name) => {
    const base = baseOf(name);
    if (base?.name === name) return base;
    const spare = SPARE[spares++ % SPARE.length]!;
    return base
      ? { ...spare, name, color: base.color, colorDark: base.colorDark, filled: base.filled }
      : { ...spare, name };
  });
}
