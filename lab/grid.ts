import { Failure } from '../io/os/failure.ts';
import { CELL_VERSION, type Cell, canonicalLink, cellId } from './cell.ts';
import { type CellSource, rateOf, secondsOf } from './cell-source.ts';
import { flowSets, flowsOf } from './flows/flow-grid.ts';
import { manyOf, type Scenario } from './scenario.ts';
import { canonicalHash, type Json } from './store/canonical-json.ts';
import { isKernelStrategy, type SimulatedStrategyName, type StrategyName } from './strategies.ts';
import type { Traces } from './traces.ts';

/** A cell with its id. */
export interface GridCell {
  readonly id: string;
  readonly cell: Cell;
}

/** All cells of a scenario, in the order of the answer's rows. */
export interface Grid {
  /** SHA-256 of the scenario's name, question and cells. */
  readonly runId: string;
  readonly cells: readonly GridCell[];
}

/** Upper bound of a grid: days of simulation. */
const CELLS_MAX = 1_000_000;

/**
 * Expands a scenario into cells. @param sources sources of the scenario, with lists expanded, in order. @param traces
 * contents of files named by its links.
 */
export function expandGrid(scenario: Scenario, sources: readonly CellSource[], traces: Traces = new Map()): Grid {
  const links = pairs(scenario);
  const strategies = scenario.strategies.map(strategyOf);
  const sets = scenario.flows && flowSets(scenario, strategies);
  const budgets = manyOf(scenario.budgetsMs);
  const seeds = seedsOf(scenario);
  const count = sources.length * links.length * (sets ?? strategies).length * budgets.length * seeds.length;
  if (count > CELLS_MAX) {
    throw new Failure(`the grid has ${count} cells, but at most ${CELLS_MAX} are allowed; shorten its lists`, 2);
  }
  const { warmUpSeconds, release, host } = scenario;
  if (sets && host !== 'ideal') throw new Failure(`host: '${host}': flows that share a link run on ideal hosts`, 2);
  const cells: GridCell[] = [];
  for (const source of sources) {
    for (const { forward, back, second } of links) {
      for (const budgetMs of budgets) {
        for (const entry of sets ?? strategies) {
          for (const seed of seeds) {
            const cell: Cell = {
              ...('flows' in entry ? flowsOf(entry, { source, seed, traces }) : entry),
              source,
              forward: canonicalLink(forward, seed, traces),
              back: canonicalLink(back, seed, traces),
              ...(second && { second: secondPath(second, seed, traces) }),
              budgetMs,
              warmUpSeconds,
              release,
              seed,
            };
            const repeats = isKernelStrategy(cell.strategy) ? scenario.kernelRepeats : 0;
            for (let repeat = 1; repeat <= repeats; repeat++) {
              const measured: Cell = { ...cell, repeat };
              cells.push({ id: cellId(measured), cell: measured });
            }
            if (repeats > 0) continue;
            const simulated: Cell = host === 'ideal' ? cell : { ...cell, host };
            cells.push({ id: cellId(simulated), cell: simulated });
          }
        }
      }
    }
  }
  const unique = [...new Map(cells.map((cell) => [cell.id, cell])).values()];
  const { name, question } = scenario;
  return {
    runId: canonicalHash({ version: CELL_VERSION, name, question, cells: unique.map(({ id }) => id) }),
    cells: unique,
  };
}

/** Links of a path. */
interface PathLines {
  readonly forward: string;
  readonly back: string;
}

/** Seeds of the second path, which are those of the first plus this, modulo 2^32: its losses are independent. */
const SECOND_SEED = 0x8000_0000;

const secondPath = ({ forward, back }: PathLines, seed: number, traces: Traces): PathLines => {
  const own = (seed + SECOND_SEED) % 0x1_0000_0000;
  return { forward: canonicalLink(forward, own, traces), back: canonicalLink(back, own, traces) };
};

/** Returns the paths of a scenario; a list with one line is used for all of them. */
function pairs({ link }: Scenario): readonly (PathLines & { readonly second?: PathLines })[] {
  const forward = manyOf(link.forward);
  const lineOf = (lines: readonly string[], index: number) => lines[lines.length === 1 ? 0 : index]!;
  const back = manyOf(link.back ?? link.forward);
  const { second } = link;
  const secondForward = manyOf(second?.forward ?? []);
  const secondBack = manyOf(second?.back ?? secondForward);
  return forward.map((line, index) => ({
    forward: line,
    back: lineOf(back, index),
    ...(second && { second: { forward: lineOf(secondForward, index), back: lineOf(secondBack, index) } }),
  }));
}

function strategyOf(entry: Scenario['strategies'][number]): Pick<Cell, 'strategy' | 'parameters'> {
  if (typeof entry === 'string') return { strategy: entry, parameters: {} };
  const { strategy, ...parameters } = entry;
  return { strategy, parameters };
}

/** Returns the scenario restricted to the given strategies. */
export function withStrategies(scenario: Scenario, names: readonly StrategyName[]): Scenario {
  const strategies = scenario.strategies.filter((entry) => names.includes(strategyOf(entry).strategy));
  if (strategies.length === 0) {
    const known = [...new Set(scenario.strategies.map((entry) => strategyOf(entry).strategy))].join(', ');
    throw new Failure(`--strategies matches none of the scenario's strategies: ${known}`, 2);
  }
  return { ...scenario, strategies };
}

const seedsOf = ({ seeds, repeats = 1 }: Scenario): readonly number[] =>
  seeds ?? Array.from({ length: repeats }, (_, index) => index + 1);

/** Relative cost of each strategy, `none` = 1, for load balancing; measured roughly. */
const COST: Readonly<Record<SimulatedStrategyName, number>> = {
  none: 1,
  reorder: 1,
  nack: 2,
  fec: 5,
  hybrid: 3,
  'tcp-reno': 4,
  'tcp-cubic': 4,
  'tcp-bbr': 4,
  duplicate: 2,
  'rs-block': 5,
  flexfec: 5,
  hairpin: 3,
  tambur: 5,
  'paths-duplicate': 5,
  'paths-split': 4,
  'paths-coded': 6,
};

/** Relative cost of real-time cells: the speed-up of the virtual clock. */
const COST_OF_REAL_TIME = 200;

/** Estimated work of a cell, in packets of the cheapest strategy. */
export function estimatedCost({ strategy, source, flows, forward }: Cell): number {
  const packets = Math.max(source.frames, (secondsOf(source) * rateOf(source)) / (8 * 1_150));
  if (isKernelStrategy(strategy)) return packets * COST_OF_REAL_TIME;
  if (flows) return flows.length * flowPackets(forward, secondsOf(source)) * COST_OF_FLOW;
  return packets * COST[strategy];
}

/** Cost of a packet of a flow; a download sends as much as the link carries. */
const COST_OF_FLOW = 4;
const FLOW_RATE_DEFAULT = 10_000_000;

function flowPackets(forward: string, seconds: number): number {
  const rate = Number(/(?:^|\s)rate=(\d+)bit/.exec(forward)?.[1] ?? FLOW_RATE_DEFAULT);
  return (seconds * rate) / (8 * 1_150);
}

/** A shard and the number of shards; `index` counts from 1. */
export interface Shard {
  readonly index: number;
  readonly of: number;
}

/**
 * Returns the cells of a shard, in grid order: a pure function of grid and shard. Cells are assigned in descending
 * order of cost, each to the least loaded shard, so all shards take about equally long.
 */
export function shardOf(grid: Grid, { index, of }: Shard): readonly GridCell[] {
  const byCost = grid.cells.map(({ cell }, place) => ({ place, cost: estimatedCost(cell) }));
  byCost.sort((one, other) => other.cost - one.cost || one.place - other.place);
  const load = new Float64Array(of);
  const mine: number[] = [];
  for (const { place, cost } of byCost) {
    let least = 0;
    for (let shard = 1; shard < of; shard++) if (load[shard]! < load[least]!) least = shard;
    load[least]! += cost;
    if (least === index - 1) mine.push(place);
  }
  mine.sort((one, other) => one - other);
  return mine.map((place) => grid.cells[place]!);
}

/** Returns the complete scenario in canonical form, for the manifest. */
export function describeGrid(scenario: Scenario, sources: readonly CellSource[], grid: Grid): Json {
  const { name, question, warmUpSeconds, release, host } = scenario;
  return {
    version: CELL_VERSION,
    name,
    question,
    sources: sources as unknown as Json,
    links: pairs(scenario) as unknown as Json,
    strategies: scenario.strategies.map(strategyOf) as unknown as Json,
    ...(scenario.flows && { flows: scenario.flows as unknown as Json }),
    budgetsMs: manyOf(scenario.budgetsMs),
    seeds: seedsOf(scenario),
    warmUpSeconds,
    release,
    ...(host !== 'ideal' && { host }),
    cells: grid.cells.length,
  };
}
