import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { arch, platform, version, versions } from 'node:process';
import { z } from 'zod';
import { causeOf, Failure } from '../io/os/failure.ts';
import { ATLAS_RUN_FILE } from './atlas/atlas-files.ts';
import { FLOW_COLUMNS, type FlowFigures, type FlowRate, RATE_COLUMNS } from './flows/flow-tables.ts';
import {
  conditionsOf,
  MEASURED_COLUMNS,
  type MeasuredRecord,
  type MeasuredStrategy,
  measuredRecord,
} from './measured/measured-conditions.ts';
import { PACKET_COLUMNS, type PacketRecord } from './packet-log.ts';
import { PATH_COLUMNS, type SecondPathFigures } from './paths/second-path.ts';
import { type MeasuredQuality, readQuality } from './quality/measure-quality.ts';
import {
  FRAME_QUALITY_COLUMNS,
  type FrameQuality,
  QUALITY_COLUMNS,
  type QualityFigures,
} from './quality/quality-figures.ts';
import { NO_SOUND, SOUND_COLUMNS, type SoundFigures } from './sound/sound-figures.ts';
import { buildAtomically, makeDirectory, removeAbandoned, writeAtomically } from './store/atomic-file.ts';
import { BURST_COLUMNS, type BurstRecord, burstRecords } from './store/burst-records.ts';
import { canonicalJson, type Json } from './store/canonical-json.ts';
import { CellStore, type FinishedCell } from './store/cell-store.ts';
import { csv, FRAME_COLUMNS, SUMMARY_COLUMNS } from './store/columns.ts';
import { parquet, parseParquet, writeParquet } from './store/parquet.ts';
import { sha256 } from './store/sealed-json.ts';
import { readCosts, type StrategyCost, strategyCosts, writeCosts } from './strategy-cost.ts';
import type { FrameRecord, SummaryRow } from './tables.ts';

/** Description of a run, written before the first cell. Identical in all shards. */
export interface RunFile {
  readonly runId: string;
  /** The scenario in canonical form. */
  readonly spec: Json;
  readonly attachments: { readonly frames: boolean; readonly packets: boolean };
  /** Ids of cells with quality measurement; `undefined` when quality was not requested. */
  readonly quality?: readonly string[] | undefined;
  /** Ids of all cells, in the order of the answer's rows. */
  readonly cells: readonly string[];
}

/** Description of an answer: the same bytes each time it is computed by one version of the code on one machine. */
export interface Manifest {
  readonly runId: string;
  readonly spec: Json;
  readonly env: Readonly<Record<string, string>>;
  /** For strategies measured in real time: the settings in force in the kernel. */
  readonly measured?: readonly MeasuredStrategy[];
  readonly files: Readonly<Record<string, { readonly sha256: string; readonly rows: number }>>;
}

/** A summary row; with quality columns when requested, `null` for cells without video, and those of flows and sound if any. */
export type AnswerRow = SummaryRow & { readonly [Name in keyof QualityFigures]?: QualityFigures[Name] | null } & {
  readonly [Name in keyof FlowFigures]?: FlowFigures[Name];
} & Partial<SecondPathFigures> &
  Partial<SoundFigures>;

/** What writing an answer returns. */
export type WrittenAnswer = Pick<Answer, 'manifest' | 'rows' | 'cost'>;

/** A complete answer. */
export interface Answer {
  readonly manifest: Manifest;
  readonly rows: readonly AnswerRow[];
  /** Empty when its file was removed. */
  readonly cost: readonly StrategyCost[];
  /** Returns the frames of a cell; `undefined` when they were not recorded. */
  frames(cell: string): Promise<FrameRecord[] | undefined>;
  /** Rates over time of all flows; empty without flows. */
  readonly flowRates: readonly CellFlowRate[];
}

const RUN_FILE = 'run.json';
const MANIFEST = 'manifest.json';

const hash = z.string().regex(/^[0-9a-f]{64}$/);
/** The fields of both files that are relied on. */
const RUN = z.looseObject({
  runId: hash,
  spec: z.record(z.string(), z.unknown()),
  attachments: z.object({ frames: z.boolean(), packets: z.boolean() }),
  quality: z.array(hash).optional(),
  cells: z.array(hash),
});
const MANIFEST_SHAPE = z.looseObject({
  runId: hash,
  spec: z.record(z.string(), z.unknown()),
  files: z.record(z.string(), z.object({ sha256: hash, rows: z.number() })),
});

/**
 * Creates the folder of a run, or continues in an existing one.
 *
 * @throws {Failure} when the folder holds another run, or an atlas.
 */
export async function prepareFolder(directory: string, run: RunFile): Promise<CellStore> {
  if (existsSync(join(directory, ATLAS_RUN_FILE))) {
    throw new Failure(`${directory} already holds an atlas of \`lab atlas\`; choose another --out`, 2);
  }
  await makeDirectory(directory);
  const existing = await readRunFile(directory).catch(() => undefined);
  if (existing && existing.runId !== run.runId) {
    throw new Failure(
      `${directory} already holds a different run (${existing.runId.slice(0, 8)}); choose another --out`,
      2,
    );
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
    throw new Failure(`${directory} holds no laboratory run (${RUN_FILE}): ${causeOf(error)}`, 2);
  });
  try {
    return RUN.parse(JSON.parse(text)) as RunFile;
  } catch {
    throw new Failure(`${path} is damaged; run the scenario again to rewrite it`);
  }
}

/** Reasons why a run is incomplete. */
export interface Gaps {
  readonly missing: readonly string[];
  readonly damaged: readonly string[];
  /** Finished cells whose quality has not been measured. */
  readonly unmeasured: readonly string[];
  /** Code versions of the cells; more than one when versions are mixed. */
  readonly codes: readonly string[];
}

/** Reads all cells of a run. @returns the finished cells in order, and the gaps. */
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

/** Quality by cell id. */
type Qualities = ReadonlyMap<string, MeasuredQuality>;

/** All columns of the summary, of which some are in some answers only. */
const ANSWER_COLUMNS = { ...SUMMARY_COLUMNS, ...QUALITY_COLUMNS, ...FLOW_COLUMNS, ...PATH_COLUMNS, ...SOUND_COLUMNS };

/** Tables that only some answers have; files of an earlier answer are removed. */
const OPTIONAL_FILES = [
  'frames.parquet',
  'sound.parquet',
  'packets.parquet',
  'flows.csv',
  'flows.parquet',
  'report.html',
];

/** Writes the answer of a complete run. The manifest is written last, so its presence implies all other files. */
export async function writeAnswer(
  directory: string,
  run: RunFile,
  parts: {
    readonly cells: readonly FinishedCell[];
    readonly qualities: Qualities;
    readonly store: CellStore;
    readonly version: string;
  },
): Promise<WrittenAnswer> {
  const { cells, qualities, store } = parts;
  const hasFlows = cells.some(({ flows }) => flows !== undefined);
  const hasSound = cells.some(({ sound }) => sound !== undefined);
  const rows = cells.flatMap(({ id, row: cellRow, flows, second, sound }): readonly AnswerRow[] => {
    const row = { ...cellRow, ...second };
    const own = run.quality ? [withQuality(row, qualities.get(id))] : (flows?.rows ?? [row]);
    return hasSound ? own.map((each) => ({ ...each, ...(sound ?? NO_SOUND) })) : own;
  });
  // Without quality, flows, a second path and sound, their columns are omitted.
  const columns = {
    ...SUMMARY_COLUMNS,
    ...(run.quality && QUALITY_COLUMNS),
    ...(hasFlows && FLOW_COLUMNS),
    ...(cells.some(({ second }) => second) && PATH_COLUMNS),
    ...(hasSound && SOUND_COLUMNS),
  } as typeof ANSWER_COLUMNS;
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
    name: 'frames.parquet' | 'sound.parquet' | 'packets.parquet',
    tableColumns: Parameters<typeof writeParquet<Row>>[1],
    parts: AsyncIterable<readonly Row[]>,
  ) => {
    await buildAtomically(join(directory, name), async (temporary) => {
      tables.set(name, await writeParquet<Row>(temporary, tableColumns, parts));
    });
  };
  if (run.attachments.frames && run.quality) {
    const both = { ...CELL_FRAME_COLUMNS, ...FRAME_QUALITY_COLUMNS };
    await gather<CellFrameRecord & FrameQuality>('frames.parquet', both, scoredFrames(cells, qualities, store));
  } else if (run.attachments.frames) {
    await gather('frames.parquet', CELL_FRAME_COLUMNS, attached<CellFrameRecord>(cells, store, 'frames.parquet'));
  }
  if (run.attachments.frames && hasSound) {
    const those = cells.filter(({ sound }) => sound !== undefined);
    await gather('sound.parquet', CELL_FRAME_COLUMNS, attached<CellFrameRecord>(those, store, 'sound.parquet'));
  }
  if (run.attachments.packets) {
    await gather('packets.parquet', CELL_PACKET_COLUMNS, attached<CellPacketRecord>(cells, store, 'packets.parquet'));
  }
  if (hasFlows) {
    const rates = cells.flatMap(({ id, flows }) => (flows?.rates ?? []).map((rate) => ({ cell: id, ...rate })));
    await write('flows.csv', csv<CellFlowRate>(CELL_RATE_COLUMNS, rates));
    await write('flows.parquet', parquet<CellFlowRate>(CELL_RATE_COLUMNS, rates));
    for (const name of ['flows.csv', 'flows.parquet']) tables.set(name, rates.length);
  }
  const measured = cells.filter(({ measurement }) => measurement !== undefined);
  if (measured.length > 0) {
    const records = measured.map(measuredRecord);
    await write('measured.csv', csv<MeasuredRecord>(MEASURED_COLUMNS, records));
    tables.set('measured.csv', records.length);
  }
  for (const name of OPTIONAL_FILES) if (!tables.has(name)) await rm(join(directory, name), { force: true });
  const files: Record<string, { sha256: string; rows: number }> = {};
  for (const [name, count] of tables) files[name] = { sha256: await hashFile(join(directory, name)), rows: count };
  const manifest: Manifest = {
    runId: run.runId,
    spec: run.spec,
    env: environment(parts.version, cells, qualities),
    ...(measured.length > 0 && { measured: conditionsOf(measured) }),
    files,
  };
  const cost = strategyCosts(cells);
  await writeCosts(directory, cost);
  await writeAtomically(join(directory, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
  return { manifest, rows, cost };
}

const withQuality = (row: SummaryRow, measured: MeasuredQuality | undefined): AnswerRow => ({
  ...row,
  ...(measured?.figures ?? NO_QUALITY),
});

const nullRow = <Name extends string>(columns: Readonly<Record<Name, unknown>>): Record<Name, null> =>
  Object.fromEntries(Object.keys(columns).map((name) => [name, null])) as Record<Name, null>;
const NO_QUALITY = nullRow(QUALITY_COLUMNS);
const NO_FRAME_QUALITY: FrameQuality = nullRow(FRAME_QUALITY_COLUMNS);

/** A table differs from the manifest: another process is writing it, stopped before the manifest, or changed it. */
const manifestMismatch = (name: string) => new Error(`${name} does not match the manifest`);

/** @throws {Failure} when the folder holds no complete answer. */
export async function readAnswer(directory: string): Promise<Answer> {
  const path = join(directory, MANIFEST);
  const text = await readFile(path, 'utf8').catch((error) => {
    throw new Failure(
      `${directory} holds no answer (${MANIFEST}): ${causeOf(error)}; run the scenario or merge its shards`,
      2,
    );
  });
  try {
    const manifest = MANIFEST_SHAPE.safeParse(JSON.parse(text)).data as Manifest | undefined;
    if (!manifest) throw new Error(`${MANIFEST} has an invalid format`);
    const table = await readFile(join(directory, 'summary.parquet'));
    if (sha256(table) !== manifest.files['summary.parquet']?.sha256) throw manifestMismatch('summary.parquet');
    for (const [name, { sha256: expected }] of Object.entries(manifest.files)) {
      const found = await hashFile(join(directory, name)).catch(() => expected); // A removed table is not an error.
      if (found !== expected) throw manifestMismatch(name);
    }
    const rows = await parseParquet<AnswerRow>(table);
    const store = new CellStore(directory);
    const frames = async (cell: string) => {
      const finished = await store.read(cell);
      const hash = typeof finished === 'string' ? undefined : finished.attachments['frames.parquet'];
      return hash === undefined ? undefined : store.table<FrameRecord>(cell, 'frames.parquet', hash);
    };
    const flowRates = manifest.files['flows.parquet']
      ? await parseParquet<CellFlowRate>(await readFile(join(directory, 'flows.parquet')))
      : [];
    return { manifest, rows, cost: await readCosts(directory), frames, flowRates };
  } catch (error) {
    throw new Failure(`the answer in ${directory} is damaged (${causeOf(error)}); merge it again`);
  }
}

const CELL_FRAME_COLUMNS = { cell: 'text', ...FRAME_COLUMNS } as const;
const CELL_RATE_COLUMNS = { cell: 'text', ...RATE_COLUMNS } as const;
const CELL_PACKET_COLUMNS = { cell: 'text', ...PACKET_COLUMNS } as const;

export type CellFlowRate = FlowRate & { readonly cell: string };
export type CellFrameRecord = FrameRecord & { readonly cell: string };
export type CellPacketRecord = PacketRecord & { readonly cell: string };

async function* attached<Row extends object>(
  cells: readonly FinishedCell[],
  store: CellStore,
  kind: 'frames.parquet' | 'sound.parquet' | 'packets.parquet',
): AsyncGenerator<readonly Row[]> {
  for (const { id, attachments } of cells) {
    const rows = await store.table<Row>(id, kind, attachments[kind]);
    yield rows.map((row) => ({ cell: id, ...row }));
  }
}

/** Frames of all cells with the quality of their slots. */
async function* scoredFrames(
  cells: readonly FinishedCell[],
  qualities: Qualities,
  store: CellStore,
): AsyncGenerator<readonly (CellFrameRecord & FrameQuality)[]> {
  for (const { id, attachments } of cells) {
    const frames = await store.table<FrameRecord>(id, 'frames.parquet', attachments['frames.parquet']);
    const measured = qualities.get(id);
    const scores = measured ? await store.table<FrameQuality>(id, 'quality.parquet', measured.table) : [];
    yield frames.map((frame, row) => ({ cell: id, ...frame, ...(scores[row] ?? NO_FRAME_QUALITY) }));
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

async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  return hash.digest('hex');
}
