import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { arch, platform, version, versions } from 'node:process';
import { causeOf, Failure } from '../io/failure.ts';
import { buildAtomically, makeDirectory, removeAbandoned, writeAtomically } from './atomic-file.ts';
import { canonicalJson, type Json } from './canonical-json.ts';
import { CellStore, type FinishedCell } from './cell-store.ts';
import { csv, FRAME_COLUMNS, SUMMARY_COLUMNS } from './columns.ts';
import type { Measurement } from './kernel/measurement.ts';
import { PACKET_COLUMNS, type PacketRecord } from './packet-log.ts';
import { parquet, readParquet, writeParquet } from './parquet.ts';
import { type MeasuredQuality, readQuality } from './quality/measure-quality.ts';
import {
  FRAME_QUALITY_COLUMNS,
  type FrameQuality,
  QUALITY_COLUMNS,
  type QualityFigures,
} from './quality/quality-figures.ts';
import type { FrameRecord, SummaryRow } from './tables.ts';

/** What is asked in a folder: written before the first cell, and the same from every shard. */
export interface RunFile {
  readonly runId: string;
  /** The question in canonical form. */
  readonly spec: Json;
  readonly attachments: { readonly frames: boolean; readonly packets: boolean };
  /** Cells whose pictures are compared with their source's; `undefined`: that was not asked for. */
  readonly quality?: readonly string[] | undefined;
  /** Ids of all cells, in the order of the answer's rows. */
  readonly cells: readonly string[];
}

/** What a simulation cost, by strategy. It is told and not hashed. */
export interface StrategyCost {
  readonly strategy: string;
  readonly datagrams: number;
  readonly wallMs: number;
  /** Virtual time over the time that a thread took, warming up and waiting for a core included. */
  readonly timesRealTime: number;
  readonly microsecondsPerDatagram: number;
}

/** What a strategy's cells were measured with. Lists have more than one member where cells differ. */
export interface MeasuredStrategy {
  readonly strategy: string;
  readonly mode: 'socket';
  readonly cells: number;
  readonly congestionControl: readonly string[];
  readonly notsentLowat: readonly number[];
  readonly kernel: readonly string[];
  /** The worst of all cells, microseconds. */
  readonly timerUsP99: number;
  readonly relayUsP99: number;
  /** Cells that had to be run again, and those that were disturbed each time. */
  readonly repeated: number;
  readonly disturbed: number;
}

export interface Manifest {
  readonly runId: string;
  readonly spec: Json;
  readonly env: Readonly<Record<string, string>>;
  readonly cost: readonly StrategyCost[];
  /** Of the strategies that were measured in real time: what the kernel had in force. */
  readonly measured?: readonly MeasuredStrategy[];
  readonly files: Readonly<Record<string, { readonly sha256: string; readonly rows: number }>>;
}

/** A cell's row; with figures of quality where these were asked for, `null` where there is no video. */
export type AnswerRow = SummaryRow & { readonly [Name in keyof QualityFigures]?: QualityFigures[Name] | null };

/** A finished answer. */
export interface Answer {
  readonly manifest: Manifest;
  readonly rows: readonly AnswerRow[];
  /** The frames of a cell; `undefined`: they were not asked for. */
  frames(cell: string): Promise<FrameRecord[] | undefined>;
}

const RUN_FILE = 'run.json';
const MANIFEST = 'manifest.json';

/**
 * Lays a run's folder out, or finds that it is there already.
 * @throws {Failure} when the folder holds another run.
 */
export async function prepareFolder(directory: string, run: RunFile): Promise<CellStore> {
  await makeDirectory(directory);
  const there = await readRunFile(directory).catch(() => undefined);
  if (there && there.runId !== run.runId) {
    throw new Failure(`${directory} holds another run (${there.runId.slice(0, 8)}): choose another --out`, 2);
  }
  const store = new CellStore(directory);
  await store.prepare();
  for (const folder of [directory, store.directory]) await removeAbandoned(folder, Date.now());
  await writeAtomically(join(directory, RUN_FILE), `${canonicalJson(run as unknown as Json)}\n`);
  return store;
}

/** @throws {Failure} when the folder holds no run. */
export async function readRunFile(directory: string): Promise<RunFile> {
  const path = join(directory, RUN_FILE);
  const text = await readFile(path, 'utf8').catch((error) => {
    throw new Failure(`${directory} holds no run of the laboratory (${RUN_FILE}): ${causeOf(error)}`, 2);
  });
  try {
    return JSON.parse(text) as RunFile;
  } catch {
    throw new Failure(`${path} is damaged: run the sweep again, which writes it anew`);
  }
}

/** What keeps a folder from being complete. */
export interface Gaps {
  readonly missing: readonly string[];
  readonly damaged: readonly string[];
  /** Finished, and their quality is not measured. */
  readonly unmeasured: readonly string[];
  /** More than one: cells were computed by different versions of the code. */
  readonly codes: readonly string[];
}

/** Reads all cells of a run. @returns those that are there, in order, and what is wrong with the others. */
export async function collectCells(
  run: RunFile,
  store: CellStore,
): Promise<{ readonly cells: readonly FinishedCell[]; readonly qualities: Qualities; readonly gaps: Gaps }> {
  const cells: FinishedCell[] = [];
  const missing: string[] = [];
  const damaged: string[] = [];
  for (const id of run.cells) {
    const found = await store.read(id);
    if (found === 'missing') missing.push(id);
    else if (found === 'damaged') damaged.push(id);
    else cells.push(found);
  }
  const qualities = new Map<string, MeasuredQuality>();
  const unmeasured: string[] = [];
  const codes = new Map(cells.map(({ id, code }) => [id, code]));
  for (const id of run.quality ?? []) {
    const measured = await readQuality(store, id);
    if (measured && measured.code === codes.get(id)) qualities.set(id, measured);
    else if (codes.has(id)) unmeasured.push(id);
  }
  return { cells, qualities, gaps: { missing, damaged, unmeasured, codes: [...new Set(codes.values())] } };
}

/** By cell. */
type Qualities = ReadonlyMap<string, MeasuredQuality>;

/** Writes the answer of a run whose cells are all there. The manifest comes last: where it is, all else is. */
export async function writeAnswer(
  directory: string,
  run: RunFile,
  parts: {
    readonly cells: readonly FinishedCell[];
    readonly qualities: Qualities;
    readonly store: CellStore;
    readonly version: string;
  },
): Promise<{ readonly manifest: Manifest; readonly rows: readonly AnswerRow[] }> {
  const { cells, qualities, store } = parts;
  const rows = run.quality
    ? cells.map(({ id, row }) => withQuality(row, qualities.get(id)))
    : cells.map(({ row }) => row);
  const all = { ...SUMMARY_COLUMNS, ...QUALITY_COLUMNS };
  // Rows without quality have no such columns either.
  const columns = run.quality ? all : (SUMMARY_COLUMNS as typeof all);
  const tables = new Map<string, number>();
  const write = async (name: string, content: string | Uint8Array) => {
    await writeAtomically(join(directory, name), content);
    tables.set(name, rows.length);
  };
  await write('summary.csv', csv<AnswerRow>(columns, rows));
  await write('summary.parquet', parquet<AnswerRow>(columns, rows));
  await write('bursts.csv', csv<BurstRecord>(BURST_COLUMNS, cells.flatMap(burstRecords)));
  tables.set(
    'bursts.csv',
    cells.reduce((sum, cell) => sum + burstRecords(cell).length, 0),
  );
  const gather = async <Row extends object>(
    name: 'frames.parquet' | 'packets.parquet',
    itsColumns: Parameters<typeof writeParquet<Row>>[1],
    parts: AsyncIterable<readonly Row[]>,
  ) => {
    await buildAtomically(join(directory, name), async (temporary) => {
      tables.set(name, await writeParquet<Row>(temporary, itsColumns, parts));
    });
  };
  if (run.attachments.frames && run.quality) {
    const both = { ...CELL_FRAME_COLUMNS, ...FRAME_QUALITY_COLUMNS };
    await gather<CellFrameRecord & FrameQuality>('frames.parquet', both, scoredFrames(run, qualities, store));
  } else if (run.attachments.frames) {
    await gather('frames.parquet', CELL_FRAME_COLUMNS, attached<CellFrameRecord>(run, store, 'frames.parquet'));
  }
  if (run.attachments.packets) {
    await gather('packets.parquet', CELL_PACKET_COLUMNS, attached<CellPacketRecord>(run, store, 'packets.parquet'));
  }
  const measured = cells.filter(({ measurement }) => measurement !== undefined);
  if (measured.length > 0) {
    const records = measured.map(measuredRecord);
    await write('measured.csv', csv<MeasuredRecord>(MEASURED_COLUMNS, records));
    tables.set('measured.csv', records.length);
  }
  const files: Record<string, { sha256: string; rows: number }> = {};
  for (const [name, count] of tables) files[name] = { sha256: await hashFile(join(directory, name)), rows: count };
  const manifest: Manifest = {
    runId: run.runId,
    spec: run.spec,
    env: environment(parts.version, cells, qualities),
    ...(measured.length > 0 && { measured: conditions(measured) }),
    cost: costs(cells),
    files,
  };
  await writeAtomically(join(directory, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
  return { manifest, rows };
}

const withQuality = (row: SummaryRow, measured: MeasuredQuality | undefined): AnswerRow => ({
  ...row,
  ...(measured?.figures ?? NO_QUALITY),
});

const nothingIn = <Name extends string>(columns: Readonly<Record<Name, unknown>>): Record<Name, null> =>
  Object.fromEntries(Object.keys(columns).map((name) => [name, null])) as Record<Name, null>;
const NO_QUALITY = nothingIn(QUALITY_COLUMNS);
const NO_FRAME_QUALITY: FrameQuality = nothingIn(FRAME_QUALITY_COLUMNS);

/** @throws {Failure} when there is none, or it is not whole. */
export async function readAnswer(directory: string): Promise<Answer> {
  const path = join(directory, MANIFEST);
  const text = await readFile(path, 'utf8').catch((error) => {
    throw new Failure(
      `${directory} holds no answer (${MANIFEST}): ${causeOf(error)}; run the scenario, or merge it`,
      2,
    );
  });
  try {
    const manifest = JSON.parse(text) as Manifest;
    const rows = await readParquet<AnswerRow>(join(directory, 'summary.parquet'));
    const store = new CellStore(directory);
    const frames = async (cell: string) => {
      if (!(await store.has(cell, 'frames.parquet'))) return undefined;
      return store.table<FrameRecord>(cell, 'frames.parquet');
    };
    return { manifest, rows, frames };
  } catch (error) {
    throw new Failure(`the answer in ${directory} is damaged (${causeOf(error)}): merge it again`);
  }
}

/** A run of lost packets: how long, and how often that happened in a cell before recovery and after it. */
interface BurstRecord {
  readonly cell: string;
  readonly recovery: 'before' | 'after';
  readonly length: number;
  readonly count: number;
}

/** Under which conditions a cell was measured, a row for each cell that was. */
type MeasuredRecord = Omit<Measurement, 'disturbed'> & {
  readonly cell: string;
  readonly strategy: string;
  readonly seed: number;
  readonly disturbed: 0 | 1;
};

const MEASURED_COLUMNS = {
  cell: 'text',
  strategy: 'text',
  seed: 'whole',
  repeat: 'whole',
  mode: 'text',
  congestionControl: 'text',
  notsentLowat: 'whole',
  kernel: 'text',
  timerUsP99: 'whole',
  timerUsMax: 'whole',
  relayUsP50: 'whole',
  relayUsP99: 'whole',
  relayUsMax: 'whole',
  machineDrops: 'whole',
  attempts: 'whole',
  disturbed: 'whole',
} as const;

const measuredRecord = ({ id, row, measurement }: FinishedCell): MeasuredRecord => ({
  cell: id,
  strategy: row.strategy,
  seed: row.seed,
  ...measurement!,
  disturbed: measurement!.disturbed ? 1 : 0,
});

function conditions(cells: readonly FinishedCell[]): MeasuredStrategy[] {
  return [...new Set(cells.map(({ row }) => row.strategy))].map((strategy) => {
    const those = cells.filter(({ row }) => row.strategy === strategy).map(({ measurement }) => measurement!);
    const each = <Value>(read: (measurement: Measurement) => Value) => [...new Set(those.map(read))];
    return {
      strategy,
      mode: 'socket',
      cells: those.length,
      congestionControl: each(({ congestionControl }) => congestionControl),
      notsentLowat: each(({ notsentLowat }) => notsentLowat),
      kernel: each(({ kernel }) => kernel),
      timerUsP99: Math.max(...those.map(({ timerUsP99 }) => timerUsP99)),
      relayUsP99: Math.max(...those.map(({ relayUsP99 }) => relayUsP99)),
      repeated: those.filter(({ attempts }) => attempts > 1).length,
      disturbed: those.filter(({ disturbed }) => disturbed).length,
    };
  });
}

const BURST_COLUMNS = { cell: 'text', recovery: 'text', length: 'whole', count: 'whole' } as const;
const CELL_FRAME_COLUMNS = { cell: 'text', ...FRAME_COLUMNS } as const;
const CELL_PACKET_COLUMNS = { cell: 'text', ...PACKET_COLUMNS } as const;

export type CellFrameRecord = FrameRecord & { readonly cell: string };
export type CellPacketRecord = PacketRecord & { readonly cell: string };

function burstRecords({ id, bursts }: FinishedCell): BurstRecord[] {
  return (['before', 'after'] as const).flatMap((recovery) =>
    bursts[recovery].map(([length, count]) => ({ cell: id, recovery, length, count })),
  );
}

async function* attached<Row extends object>(
  run: RunFile,
  store: CellStore,
  kind: 'frames.parquet' | 'packets.parquet',
): AsyncGenerator<readonly Row[]> {
  for (const cell of run.cells) {
    const rows = await store.table<Row>(cell, kind);
    yield rows.map((row) => ({ cell, ...row }));
  }
}

/** The frames of all cells with what their slots looked like. */
async function* scoredFrames(
  run: RunFile,
  qualities: Qualities,
  store: CellStore,
): AsyncGenerator<readonly (CellFrameRecord & FrameQuality)[]> {
  for (const cell of run.cells) {
    const frames = await store.table<FrameRecord>(cell, 'frames.parquet');
    const scores = qualities.has(cell) ? await store.table<FrameQuality>(cell, 'quality.parquet') : [];
    yield frames.map((frame, row) => ({ cell, ...frame, ...(scores[row] ?? NO_FRAME_QUALITY) }));
  }
}

function environment(dropframe: string, cells: readonly FinishedCell[], qualities: Qualities): Record<string, string> {
  const code = cells[0]?.code ?? '';
  const modes = new Set(cells.map(({ measurement }) => measurement?.mode ?? 'sim'));
  const mode = [...modes].sort().join('+') || 'sim';
  const decoders = [...new Set([...qualities.values()].map(({ ffmpeg }) => ffmpeg))].join(', ');
  return {
    dropframe,
    code,
    mode,
    node: version,
    v8: versions.v8,
    platform,
    arch,
    ...(decoders && { ffmpeg: decoders }),
  };
}

function costs(cells: readonly FinishedCell[]): StrategyCost[] {
  const simulated = cells.filter(({ measurement }) => measurement === undefined);
  const strategies = [...new Set(simulated.map(({ row }) => row.strategy))];
  return strategies.map((strategy) => {
    const those = cells.filter(({ row }) => row.strategy === strategy);
    const datagrams = those.reduce((sum, { cost }) => sum + cost.datagrams, 0);
    const wallMs = those.reduce((sum, { cost }) => sum + cost.wallMs, 0);
    const simulatedMs = those.reduce((sum, { row }) => sum + row.simulatedUs, 0) / 1_000;
    return {
      strategy,
      datagrams,
      wallMs,
      timesRealTime: Math.round(simulatedMs / Math.max(1, wallMs)),
      microsecondsPerDatagram: Number(((wallMs * 1_000) / Math.max(1, datagrams)).toFixed(2)),
    };
  });
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  return hash.digest('hex');
}
