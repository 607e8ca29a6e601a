import { readdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { locateFfmpeg } from '../io/ffmpeg/ffmpeg-locator.ts';
import { Failure } from '../io/os/failure.ts';
import { readTraceFile } from '../io/trace-file.ts';
import { assert } from '../protocol/base/assert.ts';
import { malformed } from '../protocol/base/parsed.ts';
import {
  collectCells,
  type Gaps,
  prepareFolder,
  type RunFile,
  readRunFile,
  type WrittenAnswer,
  writeAnswer,
} from './answer.ts';
import type { Cell } from './cell.ts';
import type { CellFiles } from './cell-source.ts';
import { describeGrid, expandGrid, type Grid, type GridCell, type Shard, shardOf, withStrategies } from './grid.ts';
import type { HostName } from './machine.ts';
import { type Comparer, openComparer } from './quality/compare-streams.ts';
import { measureQuality, type QualityProgress } from './quality/measure-quality.ts';
import { cellsToShow, checkVideo, type SideBySide, writeSideBySide } from './quality/side-by-side.ts';
import { readScenarioFile } from './ready-made.ts';
import { parseScenario, type ScenarioOutput } from './scenario.ts';
import { folderOf, openSources } from './scenario-sources.ts';
import { makeDirectory, writeAtomically } from './store/atomic-file.ts';
import { type Attachment, CellStore } from './store/cell-store.ts';
import { bytesNeeded, checkRoom } from './store/disk-room.ts';
import type { StrategyName } from './strategies.ts';
import { type SweepProgress, sweep } from './sweep.ts';

export interface RunOptions {
  readonly out: string | undefined;
  /** Restricts the scenario to these strategies. */
  readonly strategies: readonly StrategyName[] | undefined;
  /** Profile of the end hosts in place of the scenario's. */
  readonly host?: HostName | undefined;
  /** Outputs in addition to those of the scenario. */
  readonly output: Partial<ScenarioOutput>;
  readonly warn: (message: string) => void;
  /** Called with the cells before the folder is created; throws to refuse them. */
  readonly check?: (grid: Grid) => void;
}

/** A scenario ready to run: validated, with its sources read and its folder created. */
export interface OpenRun {
  readonly directory: string;
  readonly run: RunFile;
  readonly grid: Grid;
  readonly files: CellFiles;
  readonly output: ScenarioOutput;
  readonly store: CellStore;
  /** The seed whose cells have event logs and captures. */
  readonly firstSeed: number;
  /** Quality measurement tools, when requested. */
  readonly comparer: Comparer | undefined;
}

const SHARDS = 'shards';

/** @param scenario a file, or the name of a shipped scenario. */
export const openRun = async (scenario: string, options: RunOptions): Promise<OpenRun> =>
  openScenario(await readScenarioFile(scenario), options);

/** @param file path of the scenario, to which the paths in it are relative, and its content. */
export async function openScenario(
  { path, text }: { readonly path: string; readonly text: string },
  options: RunOptions,
): Promise<OpenRun> {
  const traces = new Map<string, string>();
  const readTrace = (name: string) => {
    const content = readTraceFile(resolve(folderOf(path), name), name);
    if (content.ok) traces.set(name, content.value);
    return content.ok ? content : malformed(content.malformed.replace(resolve(folderOf(path), name), name));
  };
  const parsed = parseScenario(text, basename(path), readTrace);
  const chosen = options.strategies ? withStrategies(parsed, options.strategies) : parsed;
  const scenario = options.host ? { ...chosen, host: options.host } : chosen;
  const sources = await openSources(scenario, path, options.warn);
  const grid = expandGrid(scenario, sources.descriptions, traces);
  options.check?.(grid);
  const output = { ...scenario.output, ...options.output };
  const fileCells = grid.cells.filter(({ cell }) => cell.source.kind === 'file');
  const comparesPictures = output.quality || output.video;
  if (comparesPictures && fileCells.length === 0) {
    throw new Failure(
      `${basename(path)}: output.quality compares pictures, which a synthetic source does not have; use a file source`,
      2,
    );
  }
  const comparer = comparesPictures ? await openComparer(await locateFfmpeg()) : undefined;
  if (output.video && comparer) checkVideo(comparer);
  const firstSeed = grid.cells[0]!.cell.seed;
  const directory = options.out ?? join('out', `${scenario.name}-${grid.runId.slice(0, 8)}`);
  await makeDirectory(directory);
  const sizes = { output, firstSeed };
  await checkRoom(directory, await bytesNeeded(grid.cells, sizes, new CellStore(directory)));
  const run: RunFile = {
    runId: grid.runId,
    spec: describeGrid(scenario, sources.descriptions, grid),
    attachments: { frames: output.frames, packets: output.packets },
    quality: comparesPictures ? fileCells.map(({ id }) => id) : undefined,
    cells: grid.cells.map(({ id }) => id),
  };
  const files = { media: sources.files, traces };
  return { directory, run, grid, files, output, firstSeed, comparer, store: await prepareFolder(directory, run) };
}

/** Runs the unfinished cells of a shard, and records its completion. */
export async function sweepShard(
  opened: OpenRun,
  options: {
    readonly shard: Shard;
    readonly jobs: number;
    readonly fresh: boolean;
    readonly signal: AbortSignal;
    readonly onProgress: (progress: SweepProgress) => void;
    readonly onQualityProgress?: (progress: QualityProgress) => void;
  },
): Promise<ShardProgress> {
  const { shard } = options;
  const cells = shardOf(opened.grid, shard);
  const attachmentsOf = ({ cell }: GridCell) => attachmentsFor(opened, cell);
  const { files } = opened;
  const progress = await sweep({ ...options, cells, files, store: opened.store, attachmentsOf });
  if (progress.done < progress.cells) return progress;
  if (opened.comparer && !(await measureShard(opened, cells, options))) return { ...progress, unmeasured: true };
  if (shard.of > 1) {
    await makeDirectory(join(opened.directory, SHARDS));
    const note = { runId: opened.run.runId, cells: progress.cells };
    await writeAtomically(join(opened.directory, SHARDS, `${shard.index}-of-${shard.of}.json`), JSON.stringify(note));
  }
  return progress;
}

export interface ShardProgress extends SweepProgress {
  /** True when all cells are finished, but the quality measurement was interrupted. */
  readonly unmeasured?: boolean;
}

/** @returns true when everything was measured. */
async function measureShard(
  { comparer, files, store }: OpenRun,
  cells: readonly GridCell[],
  options: Parameters<typeof sweepShard>[1],
): Promise<boolean> {
  assert(comparer !== undefined, 'quality measurement must have its tools');
  const fileCells = cells.filter(({ cell }) => cell.source.kind === 'file');
  const { jobs, fresh, signal, onQualityProgress: onProgress = () => {} } = options;
  const setting = { cells: fileCells, media: files.media, store, comparer, jobs: Math.max(1, jobs) };
  const { done } = await measureQuality({ ...setting, fresh, signal, onProgress });
  return done === fileCells.length;
}

/** Writes a video of what viewers saw at the same time, side by side, for the first link. */
export function makeVideo(
  { directory, grid, files, store, comparer }: OpenRun,
  signal: AbortSignal,
): Promise<SideBySide> {
  assert(comparer !== undefined, 'video output must have its tools');
  return writeSideBySide(directory, cellsToShow(grid.cells), { media: files.media, store, comparer, signal });
}

/** Writes the answer of a complete run. */
export function completeRun({ directory }: Pick<OpenRun, 'directory'>, version: string): Promise<WrittenAnswer> {
  return mergeRun(directory, [], version);
}

/**
 * Writes the answer from the cells in a folder.
 *
 * @param others folders of the same run whose cells are imported first.
 * @throws {Failure} when cells are missing or damaged, with their ids and shards.
 */
export async function mergeRun(
  directory: string,
  others: readonly string[],
  version: string,
): Promise<WrittenAnswer & { readonly adopted: number }> {
  const run = await readRunFile(directory);
  const store = new CellStore(directory);
  let adopted = 0;
  for (const other of others) {
    const { runId } = await readRunFile(other);
    if (runId !== run.runId) {
      throw new Failure(
        `${other} holds a different run (${runId.slice(0, 8)}) from ${directory} (${run.runId.slice(0, 8)})`,
        2,
      );
    }
    adopted += await store.adopt(new CellStore(other));
  }
  const { cells, qualities, gaps } = await collectCells(run, store);
  if (gaps.missing.length + gaps.damaged.length + gaps.unmeasured.length > 0) {
    throw new Failure(`${directory} is incomplete: ${gapText(gaps, run)}${await shardText([directory, ...others])}`);
  }
  if (gaps.codes.length > 1) {
    throw new Failure(`${directory} mixes cells of ${gaps.codes.length} program versions; run the scenario again`);
  }
  return { ...(await writeAnswer(directory, run, { cells, qualities, store, version })), adopted };
}

function gapText({ missing, damaged, unmeasured }: Gaps, { cells }: RunFile): string {
  const named = (ids: readonly string[]) =>
    ids
      .slice(0, 3)
      .map((id) => id.slice(0, 8))
      .join(', ');
  const more = (ids: readonly string[]) => (ids.length > 3 ? ', …' : '');
  const parts: string[] = [];
  if (missing.length > 0)
    parts.push(`${missing.length} of ${cells.length} cells are missing (${named(missing)}${more(missing)})`);
  if (damaged.length > 0) parts.push(`${damaged.length} are damaged (${named(damaged)}${more(damaged)})`);
  if (unmeasured.length > 0)
    parts.push(`${unmeasured.length} have no quality measurement (${named(unmeasured)}${more(unmeasured)})`);
  return `${parts.join(' and ')}; run the same command again to add them`;
}

/** Lists the shards that have not reported completion. */
async function shardText(directories: readonly string[]): Promise<string> {
  const done = new Map<number, Set<number>>();
  for (const directory of directories) {
    for (const name of await readdir(join(directory, SHARDS)).catch(() => [])) {
      const match = /^(\d+)-of-(\d+)\.json$/.exec(name);
      if (!match) continue;
      const of = Number(match[2]);
      done.set(of, (done.get(of) ?? new Set()).add(Number(match[1])));
    }
  }
  const parts: string[] = [];
  for (const [of, shards] of done) {
    const open = Array.from({ length: of }, (_, i) => i + 1).filter((index) => !shards.has(index));
    if (open.length > 0)
      parts.push(
        open
          .slice(0, 8)
          .map((index) => `${index}/${of}`)
          .join(', ') + (open.length > 8 ? ', …' : ''),
      );
  }
  return parts.length === 0 ? '' : `; not finished: shard ${parts.join(', ')}`;
}

function attachmentsFor({ output, firstSeed, comparer }: OpenRun, { seed, source }: Cell): readonly Attachment[] {
  const kinds: Attachment[] = [];
  const isFirstSeed = seed === firstSeed;
  if (output.frames || (comparer && source.kind === 'file')) kinds.push('frames.parquet');
  if (output.frames && source.sound) kinds.push('sound.parquet');
  if (output.packets) kinds.push('packets.parquet');
  if (output.qlog && isFirstSeed) kinds.push('events.qlog');
  if (output.pcapng && isFirstSeed) kinds.push('capture.pcapng');
  return kinds;
}
