import { setMaxListeners } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../../io/os/failure.ts';
import { withTemporaryFolder } from '../../io/os/temporary-folder.ts';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { assert } from '../../protocol/base/assert.ts';
import { budgetOf } from '../cell.ts';
import { framesBefore } from '../cell-source.ts';
import type { GridCell } from '../grid.ts';
import { type PackedFiles, unpackUnits } from '../packed-units.ts';
import { writeAtomically } from '../store/atomic-file.ts';
import type { CellStore } from '../store/cell-store.ts';
import { parquet } from '../store/parquet.ts';
import { readSealedJson, sealedJson, sha256 } from '../store/sealed-json.ts';
import type { FrameRecord } from '../tables.ts';
import { type Comparer, compareStreams, type ShownStream } from './compare-streams.ts';
import {
  FRAME_QUALITY_COLUMNS,
  type FrameQuality,
  frameQualities,
  type QualityFigures,
  qualityFigures,
} from './quality-figures.ts';
import { planSlots, type SlotPlan } from './slot-plan.ts';
import { type PictureFormat, pictureFormat, slotStream } from './slot-stream.ts';

/** Increased when the meaning of the figures changes. */
const QUALITY_VERSION = 2;

/** Quality figures of a cell, as stored. */
export interface MeasuredQuality {
  readonly cell: string;
  /**
   * Code of the cell, version of the measurement, and version of ffmpeg; a difference in any invalidates the figures.
   */
  readonly code: string;
  readonly version: number;
  readonly ffmpeg: string;
  readonly figures: QualityFigures;
  /** SHA-256 of `quality.parquet`, the scores per slot. */
  readonly table: string;
}

export interface QualityOptions {
  /** Finished cells with video sources and frame tables. */
  readonly cells: readonly GridCell[];
  readonly media: PackedFiles;
  readonly store: CellStore;
  readonly comparer: Comparer;
  /** Number of parallel ffmpeg processes. */
  readonly jobs: number;
  readonly fresh: boolean;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: QualityProgress) => void;
}

export interface QualityProgress {
  readonly cells: number;
  readonly done: number;
}

/**
 * Decodes what each cell's viewer saw and compares it with the source. @returns the progress, which is incomplete when
 * interrupted.
 */
export async function measureQuality(options: QualityOptions): Promise<QualityProgress> {
  const { cells, store, comparer, jobs, signal, onProgress } = options;
  const waiting: GridCell[] = [];
  for (const cell of cells) if (options.fresh || !(await isMeasured(cell, store, comparer))) waiting.push(cell);
  let done = cells.length - waiting.length;
  const progress = () => ({ cells: cells.length, done });
  onProgress(progress());
  if (waiting.length === 0) return progress();
  const films = new Map<string, Film>();
  const stop = new AbortController();
  const ended = AbortSignal.any([signal, stop.signal]);
  // One listener per job, which Node would report as a leak from the eleventh on.
  setMaxListeners(0, ended);
  let next = 0;
  const work = async (folder: string): Promise<void> => {
    while (next < waiting.length && !ended.aborted) {
      const index = next++;
      const place = { folder: join(folder, String(index)), signal: ended };
      const product = await measure(waiting[index]!, options, films, place);
      if (ended.aborted) return;
      await write(product, store);
      done++;
      onProgress(progress());
    }
  };
  await withTemporaryFolder(store.directory, async (folder) => {
    const worker = () =>
      work(folder).catch((error) => {
        if (ended.aborted) return;
        stop.abort();
        throw error;
      });
    // All workers must have ended before the folder is removed.
    const outcomes = await Promise.allSettled(Array.from({ length: Math.min(jobs, waiting.length) }, worker));
    const refused = outcomes.find((outcome) => outcome.status === 'rejected');
    if (refused) throw refused.reason;
  });
  return progress();
}

/** A source as reference of the comparison. */
export interface Film {
  readonly units: readonly AccessUnit[];
  readonly format: PictureFormat;
  readonly shown: ShownStream;
}

/** @param known sources opened before. @throws {Failure} when the stream has no picture format. */
export function openFilm({ cell: { source } }: GridCell, media: PackedFiles, known: Map<string, Film>): Film {
  assert(source.kind === 'file', 'a source with pictures must be a file');
  const open = known.get(source.sha256);
  if (open) return open;
  const packed = media.get(source.sha256);
  assert(packed !== undefined, 'the files of all cells must have been read');
  const units = [...unpackUnits(packed)];
  const format = pictureFormat(units);
  if (!format) throw new Failure(`${source.name} has no sequence parameter set, so --quality cannot decode it`, 2);
  const plan = everythingShown(units);
  const film = { units, format, shown: { plan, stream: slotStream(plan.decoded, units, format) } };
  known.set(source.sha256, film);
  return film;
}

/** A plan that shows each picture in its own slot. */
function everythingShown(units: readonly AccessUnit[]): SlotPlan {
  const rows = Int32Array.from(units.keys()).sort(
    (one, other) => units[one]!.timestamp - units[other]!.timestamp || one - other,
  );
  const slotOf = new Int32Array(units.length);
  for (const [slot, row] of rows.entries()) slotOf[row] = slot;
  const decoded = Array.from(slotOf, (slot, row) => ({ row, slot, shownFrom: slot }));
  return { rows, onScreen: Int32Array.from(rows.keys()), decoded };
}

/** Returns the content of the screen of a cell's viewer. */
export async function shownStream(
  { id, cell }: GridCell,
  { units, format }: Film,
  store: CellStore,
): Promise<ShownStream & { readonly plan: SlotPlan }> {
  const finished = await store.read(id);
  assert(typeof finished !== 'string', 'the cell must be finished');
  const frames = await store.table<FrameRecord>(id, 'frames.parquet', finished.attachments['frames.parquet']);
  const plan = planSlots(frames, units, budgetOf(cell));
  return { plan, stream: plan.decoded.length === 0 ? undefined : slotStream(plan.decoded, units, format) };
}

interface Product {
  readonly measured: MeasuredQuality;
  readonly table: Uint8Array;
}

async function measure(
  gridCell: GridCell,
  { media, store, comparer }: QualityOptions,
  films: Map<string, Film>,
  place: { readonly folder: string; readonly signal: AbortSignal },
): Promise<Product> {
  const { id, cell } = gridCell;
  const finished = await store.read(id);
  assert(typeof finished !== 'string', 'the cell must be finished');
  const film = openFilm(gridCell, media, films);
  const shown = await shownStream(gridCell, film, store);
  const name = `quality of cell ${id.slice(0, 8)} (${cell.strategy}, "${cell.forward}", ${cell.budgetMs} ms)`;
  const streams = { shown, source: film.shown, format: film.format };
  const scores = await compareStreams(comparer, streams, { ...place, name });
  const figures = qualityFigures(shown.plan, scores, framesBefore(cell.source, media, cell.warmUpSeconds));
  const identity = { cell: id, code: finished.code, version: QUALITY_VERSION, ffmpeg: comparer.ffmpeg.version };
  const table = parquet<FrameQuality>(FRAME_QUALITY_COLUMNS, frameQualities(shown.plan, scores));
  return { measured: { ...identity, figures, table: sha256(table) }, table };
}

/** Writes the figures last, so existing figures have their table. */
async function write({ measured, table }: Product, store: CellStore): Promise<void> {
  const { cell } = measured;
  await writeAtomically(store.attachment(cell, 'quality.parquet'), table);
  await writeAtomically(store.attachment(cell, 'quality.json'), sealedJson(measured));
}

async function isMeasured({ id }: GridCell, store: CellStore, { ffmpeg }: Comparer): Promise<boolean> {
  const [finished, measured] = await Promise.all([store.read(id), readQuality(store, id)]);
  return (
    typeof finished !== 'string' &&
    measured?.code === finished.code &&
    measured.ffmpeg === ffmpeg.version &&
    (await store.isWhole(id, 'quality.parquet', measured.table))
  );
}

/** @returns `undefined` when missing, damaged or of another version. */
export async function readQuality(store: CellStore, id: string): Promise<MeasuredQuality | undefined> {
  const path = store.attachment(id, 'quality.json');
  try {
    const measured = readSealedJson<MeasuredQuality>(await readFile(path, 'utf8'));
    return measured?.cell === id && measured.version === QUALITY_VERSION ? measured : undefined;
  } catch {
    return undefined;
  }
}
