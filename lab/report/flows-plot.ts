import { type FlowGroup, flowGroups } from '../flows/flow-groups.ts';
import type { FlowRate } from '../flows/flow-tables.ts';
import { type Layout, type Plot, type PlotRow, type PlotSpec, panelColumns, panelWidth } from './plot.ts';
import { chosenBy } from './plot-theme.ts';
import type { ReportTables } from './report-tables.ts';
import { LIGHT, type StrategyStyle, strategyStyles } from './strategy-style.ts';

/** Panels drawn; summary.csv and flows.csv have all. */
const PANELS_MAX = 6;

/** Rate of each flow over time, one panel per link and set of flows, with the capacity. */
export function flowsPlot({ rows: all, flowRates }: Pick<ReportTables, 'rows' | 'flowRates'>): Plot | undefined {
  const groups = flowGroups(all).slice(0, PANELS_MAX);
  if (groups.length === 0 || flowRates.length === 0) return undefined;
  const rows: PlotRow[] = [];
  for (const group of groups) {
    const { cell } = group.cells[0]![0]!;
    for (const rate of flowRates) if (rate.cell === cell) rows.push(rowOf(panelOf(group, groups), rate));
  }
  const styles = flowStyles(groups);
  const panels = groups.map((group) => panelOf(group, groups));
  const spec = (layout: Layout): PlotSpec => {
    const columns = panelColumns(layout, panels.length);
    const x = { field: 'seconds', type: 'quantitative', title: 'seconds', axis: { tickCount: 6, grid: false } };
    const y = { field: 'mbps', type: 'quantitative', title: 'Mb/s that left the queue', scale: { zero: true } };
    const color = {
      field: 'flow',
      type: 'nominal',
      scale: { domain: styles.map(({ name }) => name), range: styles.map((style) => style.color) },
      legend: { columns: layout === 'wide' ? 6 : 3, symbolType: 'stroke' },
    };
    const dashes = styles.map(({ name, dash }) => [name, dash.length > 0 ? dash : [1, 0]] as const);
    return {
      facet: { field: 'panel', type: 'nominal', sort: panels },
      columns,
      spec: {
        width: panelWidth(layout, columns),
        height: layout === 'wide' ? 230 : 200,
        layer: [
          {
            mark: { type: 'line', interpolate: 'step-after', stroke: LIGHT.muted, strokeWidth: 1 },
            transform: [
              { aggregate: [{ op: 'max', field: 'capacity', as: 'capacity' }], groupby: ['seconds', 'panel'] },
            ],
            encoding: { x, y: { ...y, field: 'capacity' } },
          },
          {
            mark: { type: 'line', interpolate: 'step-after', strokeWidth: 1.6 },
            encoding: { x, y, stroke: color, strokeDash: chosenBy('flow', dashes) },
          },
        ],
      },
    };
  };
  return {
    name: 'flows',
    title: 'Flows on the shared link',
    caption:
      'Rate of each flow at the bottleneck, headers included, over half a second each; seed ' +
      `${groups[0]!.cells[0]![0]!.seed}. The gray line is the capacity. Shares, Jain's index and queueing times are in summary.csv.`,
    alternative: groups.map((group) => `${panelOf(group, groups)}: ${sharesOf(group)}`).join('. '),
    rows,
    spec,
  };
}

function rowOf(panel: string, { flow, atMs, rate, capacity, queueUs }: FlowRate): PlotRow {
  return {
    panel,
    flow,
    seconds: atMs / 1_000,
    mbps: rate / 1e6,
    capacity: capacity === null ? null : capacity / 1e6,
    queueMs: queueUs === null ? null : queueUs / 1_000,
  };
}

/** Title of a panel: its flows, and the words of the link that other panels do not have. */
function panelOf({ forward, names, budgetMs }: FlowGroup, groups: readonly FlowGroup[]): string {
  const words = forward.split(' ').filter((word) => groups.some((other) => !other.forward.split(' ').includes(word)));
  const budget = groups.some((other) => other.budgetMs !== budgetMs) ? [`${budgetMs} ms`] : [];
  return [names.join(' + '), ...words, ...budget].join(', ');
}

const sharesOf = ({ names, cells }: FlowGroup): string =>
  names.map((name, index) => `${name} ${((cells[0]![index]!.flowRate ?? 0) / 1e6).toFixed(2)} Mb/s`).join(', ');

/** Styles of the flows by name; a name with a number has the colors of its strategy. */
function flowStyles(groups: readonly FlowGroup[]): readonly StrategyStyle[] {
  const names = [...new Set(groups.flatMap(({ names: those }) => those))];
  const asStrategy = (name: string) => name.replace(/-(\d+)$/, ' $1');
  const styles = strategyStyles(names.map(asStrategy));
  return styles.map((style) => ({ ...style, name: names.find((name) => asStrategy(name) === style.name)! }));
}
