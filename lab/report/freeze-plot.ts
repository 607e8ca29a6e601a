import type { SummaryRow } from '../tables.ts';
import { sum } from './operating-point.ts';
import { type Layout, type Plot, type PlotRow, type PlotSpec, panelWidth } from './plot.ts';
import { strategyScales } from './plot-theme.ts';
import { type Case, caseName } from './reference-case.ts';
import { LIGHT, strategyStyles } from './strategy-style.ts';

const FROZEN = 'frozen time (% of the stream)';
const EACH_MINUTE = 'freezes per minute';

/** Freeze definitions; the first is the primary one. */
const DEFINITIONS: readonly {
  readonly name: string;
  readonly count: (row: SummaryRow) => number;
  readonly microseconds: (row: SummaryRow) => number;
}[] = [
  { name: 'W3C', count: (row) => row.freezes, microseconds: (row) => row.freezeUs },
  { name: 'libwebrtc', count: (row) => row.freezesLibwebrtc, microseconds: (row) => row.freezeUsLibwebrtc },
  { name: 'Tambur', count: (row) => row.freezesTambur, microseconds: (row) => row.freezeUsTambur },
];

/** Frequency and duration of freezes by strategy and definition. */
export function freezePlot(shown: Case | undefined): Plot | undefined {
  if (!shown || sum(shown.points.flatMap(({ rows }) => rows.map((row) => row.watchedUs))) === 0) return undefined;
  const rows: PlotRow[] = shown.points.flatMap((point) => {
    const watched = sum(point.rows.map((row) => row.watchedUs));
    if (watched === 0) return [];
    return DEFINITIONS.flatMap(({ name: definition, count, microseconds }) => {
      const frozen = (100 * sum(point.rows.map(microseconds))) / watched;
      const eachMinute = (60e6 * sum(point.rows.map(count))) / watched;
      const base = { strategy: point.strategy, definition };
      return [
        {
          ...base,
          measure: FROZEN,
          value: frozen,
          label: `${point.strategy}: frozen ${frozen.toFixed(2)} % (${definition})`,
        },
        {
          ...base,
          measure: EACH_MINUTE,
          value: eachMinute,
          label: `${point.strategy}: ${eachMinute.toFixed(1)} freezes per minute (${definition})`,
        },
      ];
    });
  });
  const styles = strategyStyles(shown.points.map(({ strategy }) => strategy));
  const spec = (layout: Layout): PlotSpec => {
    const columns = layout === 'wide' ? 2 : 1;
    const scales = strategyScales(styles, layout, false);
    const x = { field: 'value', type: 'quantitative', title: null, scale: { zero: true, nice: true } };
    const y = {
      field: 'strategy',
      type: 'nominal',
      sort: styles.map(({ name }) => name),
      title: null,
      axis: { ticks: false, domain: false },
    };
    const fill = { ...scales.fill, scale: { ...scales.stroke.scale } };
    return {
      facet: { field: 'measure', type: 'nominal', sort: [FROZEN, EACH_MINUTE] },
      columns,
      resolve: { scale: { x: 'independent' } },
      spec: {
        width: panelWidth(layout, columns) - (layout === 'wide' ? 12 : 16),
        height: 26 * styles.length,
        layer: [
          {
            transform: [{ filter: "datum.definition == 'W3C'" }],
            mark: { type: 'bar', height: { band: 0.62 }, fillOpacity: 0.75, strokeWidth: 1 },
            encoding: { x, y, fill, stroke: scales.stroke, description: { field: 'label', type: 'nominal' } },
          },
          {
            transform: [{ filter: "datum.definition != 'W3C'" }],
            mark: { type: 'point', size: 46, opacity: 1, strokeWidth: 1.4, stroke: LIGHT.ink, fill: LIGHT.surface },
            encoding: {
              x,
              y,
              shape: {
                field: 'definition',
                type: 'nominal',
                scale: { domain: ['libwebrtc', 'Tambur'], range: ['circle', 'diamond'] },
                legend: { title: null },
              },
              description: { field: 'label', type: 'nominal' },
            },
          },
        ],
      },
    };
  };
  const primary = rows.filter(({ definition, measure }) => definition === 'W3C' && measure === FROZEN);
  return {
    name: 'freezes',
    title: 'Freezes',
    caption:
      `Duration and frequency of freezes; ${caseName(shown)}, all seeds together. Bars: W3C’s definition, ` +
      'the primary one. Markers: the definitions of libwebrtc and Tambur.',
    alternative: `Bars of frozen time by strategy. ${primary.map(({ label }) => label).join('. ')}.`,
    rows,
    spec,
  };
}
