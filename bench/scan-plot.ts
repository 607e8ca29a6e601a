import type { Layout, Plot, PlotRow, PlotSpec } from '../lab/report/plot.ts';
import { strategyScales } from '../lab/report/plot-theme.ts';
import { strategyStyles } from '../lab/report/strategy-style.ts';
import type { ScanName } from './scan.ts';

const FACET = { field: 'panel', type: 'nominal', title: null } as const;

/** Draws a scan: lines along the scanned property, or a map of where `hybrid` is behind. */
export function scanPlot(name: ScanName, rows: readonly PlotRow[]): Plot {
  const common = { name: `scan-${name}`, alternative: `See cells.csv, ${rows.length} rows.` };
  if (name === 'plane') return { ...common, ...PLANE, rows: planeRows(rows), spec: planeSpec };
  const x = name === 'budget' ? 'roundTrips' : 'jitterMs';
  const title = name === 'budget' ? 'Round trips within the budget' : 'Jitter, ms';
  const long = rows.flatMap((row) => [
    {
      ...row,
      panel: panelOf(name, row),
      measure: 'frames lost, % (square root)',
      value: Math.sqrt(Number(row.lostPercent)),
    },
    { ...row, panel: panelOf(name, row), measure: 'overhead, %', value: row.overheadPercent ?? null },
  ]);
  const spec = (layout: Layout): PlotSpec => ({
    facet: { row: { field: 'measure', type: 'nominal', title: null }, column: FACET },
    resolve: { scale: { y: 'independent' } },
    spec: {
      width: layout === 'wide' ? 280 : 220,
      height: 180,
      mark: { type: 'line', point: { size: 16 } },
      encoding: {
        x: { field: x, type: 'quantitative', title },
        y: { field: 'value', type: 'quantitative', title: null },
        ...(name === 'budget'
          ? { color: { field: 'loss', type: 'nominal', title: 'loss' } }
          : {
              color: { ...strategyScales(strategyStyles(rows.map(({ strategy }) => String(strategy))), layout).stroke },
            }),
      },
    },
  });
  return {
    ...common,
    title: `Cost along the ${name}`,
    caption: 'Virtual clock, 30 frames a second.',
    rows: long,
    spec,
  };
}

const panelOf = (name: ScanName, { loss, delayMs }: PlotRow): string =>
  name === 'budget' ? `${delayMs} ms one way` : `${loss} loss`;

const PLANE = {
  title: 'Frames that hybrid loses more than the better of nack and fec',
  caption: 'In percent; 0 where it is not worse beyond chance. Strategies above the redundancy budget are left out.',
};

const planeRows = (rows: readonly PlotRow[]): PlotRow[] =>
  rows
    .filter(({ strategy }) => strategy === 'hybrid')
    .map((row) => ({
      ...row,
      panel: `${row.delayMs} ms one way`,
      place: `${row.loss}, ${row.packets} packets`,
      path: `${row.roundTrips} round trips, jitter ${row.jitterMs} ms`,
      // Beyond the best comparable strategy, one decimal.
      text: Number(row.behindPercent) > 0.05 ? Number(row.behindPercent).toFixed(1) : '',
    }));

const planeSpec = (): PlotSpec => ({
  facet: { column: FACET },
  spec: {
    width: 320,
    height: 320,
    encoding: {
      x: { field: 'path', type: 'nominal', title: null, sort: null },
      y: { field: 'place', type: 'nominal', title: null, sort: null },
    },
    layer: [
      {
        mark: 'rect',
        encoding: {
          color: {
            field: 'behindPercent',
            type: 'quantitative',
            title: 'behind, %',
            scale: { range: ['#e8f1ea', '#f3b27a', '#b3261e'], domain: [0, 1, 5], clamp: true },
          },
        },
      },
      { mark: { type: 'text', fontSize: 9 }, encoding: { text: { field: 'text' } } },
    ],
  },
});
