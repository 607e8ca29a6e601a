import { Failure } from '../io/os/failure.ts';
import { CELL_VERSION, type Cell, canonicalLink, cellId, type Traces } from './cell.ts';
import { rateOf, type SourceDescription, secondsOf } from './cell-source.ts';
import { manyOf, type Scenario } from './scenario.ts';
import { canonicalHash, type Json } from './store/canonical-json.ts';
import { isKernelStrategy, type SimulatedStrategyName, type StrategyName } from './strategies.ts';

/** A cell and the name of its result. */
export interface GridCell {
  readonly id: string;
  readonly cell: Cell;
}

/** All cells of a scenario, in the order of the answer's rows. */
export interface Grid {
  /** SHA-256 of all that decides the answer. */
  readonly runId: string;
  readonly cells: readonly GridCell[];
}

/** More would be days of simulation and a table that nobody reads. */
const CELLS_MAX = 1_000_000;

/** @param sources those of the scenario, lists made single, in order. @param traces the files that its links name. */
export function expandGrid(
  scenario: Scenario,
  sources: readonly SourceDescription[],
  traces: Traces = new Map(),
): Grid {
  const links = pairs(scenario);
  const strategies = scenario.strategies.map(chosen);
  const budgets = manyOf(scenario.budgetsMs);
  const seeds = seedsOf(scenario);
  const count = sources.length * links.length * strategies.length * budgets.length * seeds.length;
  if (count > CELLS_MAX) {
    throw new Failure(`the grid has ${count} cells, and ${CELLS_MAX} is the most: make its lists shorter`, 2);
  }
  const { warmUpSeconds, release } = scenario;
  const cells: GridCell[] = [];
  for (const source of sources) {
    for (const { forward, back } of links) {
      for (const budgetMs of budgets) {
        for (const { strategy, parameters } of strategies) {
          for (const seed of seeds) {
            const cell: Cell = {
              strategy,
              parameters,
              source,
              forward: canonicalLink(forward, seed, traces),
              back: canonicalLink(back, seed, traces),
              budgetMs,
              warmUpSeconds,
              release,
              seed,
            };
            const repeats = isKernelStrategy(strategy) ? scenario.kernelRepeats : 0;
            for (let repeat = 1; repeat <= repeats; repeat++) {
              const measured: Cell = { ...cell, repeat };
              cells.push({ id: cellId(measured), cell: measured });
            }
            if (repeats === 0) cells.push({ id: cellId(cell), cell });
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

function pairs({ link }: Scenario): readonly { readonly forward: string; readonly back: string }[] {
  const forward = manyOf(link.forward);
  const back = manyOf(link.back ?? link.forward);
  return forward.map((line, index) => ({ forward: line, back: back[back.length === 1 ? 0 : index]! }));
}

function chosen(entry: Scenario['strategies'][number]): Pick<Cell, 'strategy' | 'parameters'> {
  if (typeof entry === 'string') return { strategy: entry, parameters: {} };
  const { strategy, ...parameters } = entry;
  return { strategy, parameters };
}

/** The scenario with these strategies only. */
export function withStrategies(scenario: Scenario, names: readonly StrategyName[]): Scenario {
  const strategies = scenario.strategies.filter((entry) => names.includes(chosen(entry).strategy));
  if (strategies.length === 0) {
    const known = [...new Set(scenario.strategies.map((entry) => chosen(entry).strategy))].join(', ');
    throw new Failure(`--strategies leaves none of the scenario's: ${known}`, 2);
  }
  return { ...scenario, strategies };
}

const seedsOf = ({ seeds, repeats = 1 }: Scenario): readonly number[] =>
  seeds ?? Array.from({ length: repeats }, (_, index) => index + 1);

/** What everything costs relative to `none`, for a fair division; measured, and only as exact as that needs. */
const COST: Readonly<Record<SimulatedStrategyName, number>> = {
  none: 1,
  reorder: 1,
  nack: 2,
  fec: 5,
  hybrid: 3,
  'tcp-reno': 4,
  'tcp-cubic': 4,
  'tcp-bbr': 4,
};

/** In real time: what the virtual clock is faster by. */
const COST_OF_REAL_TIME = 200;

/** How much work a cell is, in packets of the cheapest strategy. */
export function estimatedCost({ strategy, source }: Cell): number {
  const packets = Math.max(source.frames, (secondsOf(source) * rateOf(source)) / (8 * 1_150));
  if (isKernelStrategy(strategy)) return packets * COST_OF_REAL_TIME;
  return packets * COST[strategy];
}

/** Which of how many shards, counted from 1. */
export interface Shard {
  readonly index: number;
  readonly of: number;
}

/**
 * A shard's cells, in the order of the grid: a pure function of the grid and the shard. The dearest cells are dealt
 * first, each to the shard that has least to do, so that all take about as long.
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

/** What is written into the manifest: the whole question, in canonical form. */
export function describeGrid(scenario: Scenario, sources: readonly SourceDescription[], grid: Grid): Json {
  const { name, question, warmUpSeconds, release } = scenario;
  return {
    version: CELL_VERSION,
    name,
    question,
    sources: sources as unknown as Json,
    links: pairs(scenario) as unknown as Json,
    strategies: scenario.strategies.map(chosen) as unknown as Json,
    budgetsMs: manyOf(scenario.budgetsMs),
    seeds: seedsOf(scenario),
    warmUpSeconds,
    release,
    cells: grid.cells.length,
  };
}
