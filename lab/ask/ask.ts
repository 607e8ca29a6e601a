import { join } from 'node:path';
import { Failure } from '../../io/os/failure.ts';
import { assert } from '../../protocol/base/assert.ts';
import { prepareFolder, type WrittenAnswer } from '../answer.ts';
import { framesPerSecondOf } from '../cell-source.ts';
import { estimatedCost, type Grid, type GridCell } from '../grid.ts';
import { commaSeparated } from '../report/comma-separated.ts';
import type { Interval } from '../report/interval.ts';
import { pathName, strategyName } from '../report/operating-point.ts';
import { mergeRun, type OpenRun, openScenario } from '../run.ts';
import { writeAtomically } from '../store/atomic-file.ts';
import type { Json } from '../store/canonical-json.ts';
import { type SweepProgress, sweep } from '../sweep.ts';
import { checkBudgets } from './out-of-time.ts';
import type { Question } from './question.ts';
import { FIRST_LOOK, intervalAt, nextLook, reachOf, type SeedCount, seedsNeeded, seedsOfGrid } from './sampling.ts';

export interface AskOptions {
  /** Half the width of the interval at which a cell stops, a share of the frames: 0.001 for ±0.1 percentage points. */
  readonly until: number;
  /** Most seeds of a cell, 3 or more. */
  readonly seedsMax: number;
  /** Folder of the answer; by default in out/, named after the question's hash. */
  readonly out: string | undefined;
  readonly warn: (message: string) => void;
}

/** A strategy on a path with a budget, as far as it is known. */
export interface AskedCell {
  readonly strategy: string;
  readonly source: string;
  readonly path: string;
  readonly budgetMs: number;
  /** Seeds that were run: 1 … seeds. */
  readonly seeds: number;
  /** Share of frames in time. 95 %, although the number of seeds depends on them: docs/LAB.md has the conditions. */
  readonly inTime: Interval;
  /** Share of the sound that is there when it is due; `undefined` without sound. */
  readonly soundInTime: Interval | undefined;
  /** True when the interval is as narrow as asked, and that of the sound too. */
  readonly isNarrow: boolean;
}

/** A question whose cells and folder are ready. */
export interface OpenQuestion {
  readonly scenario: Question;
  readonly opened: OpenRun;
  readonly until: number;
  readonly seedsMax: number;
  /** Cells that differ in their seed only, in the order of their seeds. */
  readonly groups: readonly (readonly GridCell[])[];
  /** Fewest and most runs. */
  readonly runsMin: number;
  readonly runsMax: number;
}

export interface AskProgress {
  /** Most seeds of an open cell at this look. */
  readonly seeds: number;
  readonly cells: number;
  /** Cells whose interval is not narrow enough yet. */
  readonly open: number;
  readonly sweep: SweepProgress;
}

export interface AskResult extends WrittenAnswer {
  readonly cells: readonly AskedCell[];
  readonly runs: number;
  /** Runs of the full grid with intervals as narrow: every cell with as many seeds as the widest needs, known beforehand. */
  readonly gridRuns: number;
}

/**
 * Opens a question.
 * @throws {Failure} when no frame of any cell can be in time, or no number of seeds up to `seedsMax` makes an interval as narrow as asked, with what would.
 */
export async function openQuestion(question: Question, options: AskOptions): Promise<OpenQuestion> {
  const { until, seedsMax, out, warn } = options;
  const text = JSON.stringify({
    ...question,
    question: `${question.question} --until ${percentagePoints(until)}pp --seeds-max ${seedsMax}`,
    repeats: seedsMax,
  });
  const check = (grid: Grid) => {
    const cells = groupsOf(grid);
    checkBudgets(
      cells.map(([first]) => first!.cell),
      warn,
    );
    assertReachable(cells, options);
  };
  const opened = await openScenario({ path: 'ask', text }, { out, strategies: undefined, output: {}, warn, check });
  const groups = groupsOf(opened.grid);
  return {
    scenario: question,
    opened,
    until,
    seedsMax,
    groups,
    runsMin: groups.length * FIRST_LOOK,
    runsMax: groups.length * seedsMax,
  };
}

/** Cells of each strategy, path and budget, in the order of their seeds. */
export function groupsOf({ cells }: Grid): readonly (readonly GridCell[])[] {
  const groups: GridCell[][] = [];
  for (const cell of cells) {
    // Seeds are the innermost list of a grid.
    const last = groups.at(-1);
    if (last && cell.cell.seed > last.at(-1)!.cell.seed) last.push(cell);
    else groups.push([cell]);
  }
  return groups;
}

function assertReachable(groups: readonly (readonly GridCell[])[], { until, seedsMax }: AskOptions): void {
  for (const [first] of groups) {
    const { source, warmUpSeconds } = first!.cell;
    const frames = Math.floor(source.frames - warmUpSeconds * framesPerSecondOf(source));
    if (seedsNeeded(until, frames, seedsMax) !== undefined) continue;
    const needed = seedsNeeded(until, frames, 100_000);
    const runs = needed === undefined ? 'more than 100,000 runs' : `${needed.toLocaleString('en-US')} runs or more`;
    const each = groups.length === 1 ? 'the cell' : `each of the ${groups.length} cells`;
    const packets = groups.reduce((sum, [cell]) => sum + estimatedCost(cell!.cell), 0) * (needed ?? 100_000);
    const hours = (packets * MICROSECONDS_PER_PACKET) / 3.6e9;
    throw new Failure(
      `--until ${percentagePoints(until)}pp: ${seedsMax} runs of ${frames} frames cannot show that; ${each} takes ${runs}, about ${hours < 10 ? hours.toFixed(1) : Math.round(hours)} hours of a core. Ask for a wider interval, or raise seconds= or --seeds-max`,
      2,
    );
  }
}

/** Time of a simulated packet of the cheapest strategy, microseconds: `npm run bench -- simulation`, rounded up. */
const MICROSECONDS_PER_PACKET = 4;

/** Half widths as they are asked for, percentage points. */
export const percentagePoints = (share: number): number => Number((share * 100).toFixed(6));

/**
 * Runs seeds in batches until each cell's interval is as narrow as asked; a cell that is, takes no further seeds. All cells
 * use the same seeds 1, 2, 3 …, so strategies meet the same losses. What is decided depends on the cell's own results
 * alone, so a run that was interrupted continues to the same bytes.
 * @returns `undefined` when it was interrupted; finished cells are kept.
 */
export async function ask(
  question: OpenQuestion,
  options: {
    readonly jobs: number;
    readonly fresh: boolean;
    readonly signal: AbortSignal;
    readonly version: string;
    readonly onProgress: (progress: AskProgress) => void;
    /** Called after each look with all cells. */
    readonly onLook: (cells: readonly AskedCell[]) => void;
  },
): Promise<AskResult | undefined> {
  const { opened, groups, until } = question;
  const { files, store, directory } = opened;
  const { jobs, fresh, signal } = options;
  const seen = new Map<readonly GridCell[], Look>();
  for (;;) {
    const open = groups.filter((group) => seedsAfter(seen.get(group), question) !== undefined);
    if (open.length === 0) break;
    const due = new Map(open.map((group) => [group, seedsAfter(seen.get(group), question)!]));
    const cells = open.flatMap((group) => group.slice(seen.get(group)?.cell.seeds ?? 0, due.get(group)));
    const seeds = Math.max(...due.values());
    const progress = await sweep({
      ...{ cells, files, store, jobs, fresh, signal },
      attachmentsOf: () => [],
      onProgress: (at) => options.onProgress({ seeds, cells: groups.length, open: open.length, sweep: at }),
    });
    if (progress.done < progress.cells) return undefined;
    for (const group of open) seen.set(group, await look(opened, group.slice(0, due.get(group)), until));
    options.onLook(groups.map((group) => seen.get(group)!.cell));
  }
  const looks = groups.map((group) => seen.get(group)!);
  const results = looks.map(({ cell }) => cell);
  const used = groups.flatMap((group, index) => group.slice(0, results[index]!.seeds));
  const seedsUsed = Math.max(...results.map(({ seeds }) => seeds));
  await recordUsed(question, used, seedsUsed);
  await writeAtomically(join(directory, 'asked.csv'), commaSeparated(results.map(csvRow)));
  const { manifest, rows, cost } = await mergeRun(directory, [], options.version);
  return {
    manifest,
    rows,
    cost,
    cells: results,
    runs: used.length,
    gridRuns: groups.length * seedsOfWidest(looks, until),
  };
}

/** What the seeds of a cell have shown. */
interface Look {
  readonly cell: AskedCell;
  /** Frames of each seed, and units of its sound if it has any. */
  readonly counts: readonly (readonly SeedCount[])[];
  /** Half the width of the widest interval. */
  readonly reach: number;
}

/** Seeds that a cell has to have at its next look; `undefined` when it has stopped. */
function seedsAfter(before: Look | undefined, { until, seedsMax }: OpenQuestion): number | undefined {
  if (!before) return FIRST_LOOK;
  const { cell, reach } = before;
  return cell.isNarrow || cell.seeds === seedsMax ? undefined : nextLook(cell.seeds, reach, until, seedsMax);
}

/** Seeds of each cell of the full grid. A cell that is wider than asked counts as it is. */
function seedsOfWidest(looks: readonly Look[], until: number): number {
  const needed = looks.flatMap(({ counts, reach }) => counts.map((each) => seedsOfGrid(each, Math.max(until, reach))));
  return Math.max(...needed);
}

async function look({ store }: OpenRun, cells: readonly GridCell[], until: number): Promise<Look> {
  const counts: SeedCount[] = [];
  const heard: SeedCount[] = [];
  let described: Pick<AskedCell, 'strategy' | 'source' | 'path' | 'budgetMs'> | undefined;
  for (const { id } of cells) {
    const found = await store.read(id);
    assert(typeof found !== 'string', 'a cell that was run must be in the folder');
    const { row, second, sound } = found;
    counts.push({ count: row.framesInTime, of: row.frames });
    if (sound?.soundUnits) heard.push({ count: sound.sumInTime! - row.framesInTime, of: sound.soundUnits });
    const path = pathName({ ...row, ...second });
    described ??= { strategy: strategyName(row), source: row.source, path, budgetMs: row.budgetMs };
  }
  assert(described !== undefined, 'a look must have seeds');
  const inTime = intervalAt(counts);
  const soundInTime = heard.length > 0 ? intervalAt(heard) : undefined;
  const reach = Math.max(reachOf(inTime), soundInTime ? reachOf(soundInTime) : 0);
  const cell = { ...described, seeds: cells.length, inTime, soundInTime, isNarrow: reach <= until };
  return { cell, counts: heard.length > 0 ? [counts, heard] : [counts], reach };
}

/** Restricts the folder's run to the cells that were needed, and records the scenario that has all of them. */
async function recordUsed({ scenario, opened }: OpenQuestion, used: readonly GridCell[], seeds: number): Promise<void> {
  const { directory, run } = opened;
  const spec = run.spec as { readonly [name: string]: Json };
  const every = Array.from({ length: seeds }, (_, index) => index + 1);
  await prepareFolder(directory, {
    ...run,
    spec: { ...spec, seeds: every, cells: used.length },
    cells: used.map(({ id }) => id),
  });
  const recorded = { ...scenario, repeats: seeds };
  await writeAtomically(join(directory, 'scenario.json'), `${JSON.stringify(recorded, undefined, 2)}\n`);
}

const csvRow = ({ inTime, soundInTime, isNarrow, ...cell }: AskedCell) => ({
  ...cell,
  inTime: inTime.value,
  low: inTime.low,
  high: inTime.high,
  ...(soundInTime && { soundInTime: soundInTime.value, soundLow: soundInTime.low, soundHigh: soundInTime.high }),
  isNarrow,
});
