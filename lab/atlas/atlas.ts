import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { causeOf, Failure } from '../../io/os/failure.ts';
import { type AtlasPoint, lastPosition } from '../../protocol/page/atlas-axes.ts';
import { AtlasTree, pointKey } from '../../protocol/page/atlas-tree.ts';
import { makeDirectory, writeAtomically } from '../store/atomic-file.ts';
import { canonicalHash, canonicalJson, type Json } from '../store/canonical-json.ts';
import { codeFingerprint } from '../store/code-fingerprint.ts';
import { checkRoom } from '../store/disk-room.ts';
import { runOrders } from '../worker-pool.ts';
import { computePoint, gridOf, viewOf } from './atlas-cells.ts';
import { ATLAS_DATA, ATLAS_MANIFEST, ATLAS_PAGE, ATLAS_RUN_FILE, ATLAS_TABLE } from './atlas-files.ts';
import type { AtlasSetting } from './atlas-setting.ts';
import { PointLog } from './point-log.ts';
import type { PointOrder, PointProduct } from './point-worker.ts';
import { missingCorners, nextSplits, type PointView } from './refinement.ts';

export interface OpenAtlas {
  readonly directory: string;
  readonly setting: AtlasSetting;
  readonly log: PointLog;
  /** Points of the coarse grid. */
  readonly coarse: readonly AtlasPoint[];
  /** Damaged lines of the log, whose points are computed again. */
  readonly ignored: number;
}

export interface AtlasProgress {
  readonly cells: number;
  /** Cells computed by this run. */
  readonly computed: number;
  /** Cells of the boxes that are being refined. */
  readonly round: number;
}

/** Upper estimate of a cell's lines in the log, in the table and in the page's data, bytes. */
const CELL_BYTES = 600;

/**
 * Opens a folder for an atlas, or continues the one in it.
 * @param cells that are asked for. @param fresh true: what the folder's atlas has is computed again.
 * @throws {Failure} when a point is impossible, or the folder holds something else.
 */
export async function openAtlas(
  setting: AtlasSetting,
  { out, cells, fresh }: { readonly out: string; readonly cells: number; readonly fresh: boolean },
): Promise<OpenAtlas> {
  const tree = new AtlasTree(setting.axes);
  // Each value meets the simulator's own checks before anything is written.
  gridOf(
    setting,
    setting.axes.map(() => 0),
  );
  gridOf(setting, setting.axes.map(lastPosition));
  if (existsSync(join(out, 'run.json'))) {
    throw new Failure(
      `${out} already holds a run of \`lab run\`, \`lab sweep\` or \`lab ask\`; choose another --out`,
      2,
    );
  }
  const found = await readRun(join(out, ATLAS_RUN_FILE));
  const run = { atlas: canonicalHash(setting as unknown as Json), code: codeFingerprint(), setting };
  if (found !== undefined && found.atlas !== run.atlas) {
    throw new Failure(`${out} already holds an atlas with other axes or strategies; choose another --out`, 2);
  }
  if (found !== undefined && found.code !== run.code && !fresh) {
    throw new Failure(
      `${out} holds an atlas of another version of dropframe; choose another --out, or compute it again with --fresh`,
      2,
    );
  }
  await makeDirectory(out);
  await checkRoom(out, cells * CELL_BYTES);
  if (fresh && found !== undefined) await removeAtlas(out);
  await writeAtomically(join(out, ATLAS_RUN_FILE), `${canonicalJson(run as unknown as Json)}\n`);
  const log = new PointLog(out);
  const ignored = await log.read();
  const coarse = missingCorners(tree, tree.leaves(), () => false);
  return { directory: out, setting, log, coarse, ignored };
}

/** Removes the points, and the table and the page that were made of them. */
async function removeAtlas(out: string): Promise<void> {
  await PointLog.remove(out);
  for (const name of [ATLAS_TABLE, ATLAS_MANIFEST, ATLAS_DATA, ...ATLAS_PAGE]) {
    await rm(join(out, name), { force: true });
  }
}

async function readRun(path: string): Promise<{ readonly atlas?: unknown; readonly code?: unknown } | undefined> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw new Failure(`cannot read ${path}: ${causeOf(error)}`);
  });
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new Failure(`${path} is damaged; choose another --out`, 2);
  }
}

/**
 * Computes up to `points` points of the coarse grid in this thread, and keeps them.
 * @returns cells per second of one thread; `undefined` when the whole coarse grid is known already.
 */
export async function measureSpeed(
  { setting, log, coarse }: OpenAtlas,
  points: number,
  seconds: () => number,
): Promise<number | undefined> {
  // Spread over the grid, as points differ in cost.
  const open = coarse.filter((point) => !log.has(pointKey(point)));
  const chosen = Array.from({ length: Math.min(points, open.length) }, (_, index) => {
    return open[Math.floor(((index + 0.5) * open.length) / Math.min(points, open.length))]!;
  });
  if (chosen.length === 0) return undefined;
  const began = seconds();
  for (const point of chosen) await log.add(point, computePoint(setting, point));
  return (chosen.length * setting.strategies.length) / Math.max(seconds() - began, 1e-3);
}

/** The part of an atlas that is complete: all corners of the tree are known. */
export interface ComputedAtlas {
  /** `undefined` while the coarse grid is incomplete. */
  readonly tree: AtlasTree | undefined;
  readonly ended: 'cells' | 'resolved' | 'stopped';
}

/**
 * Refines until the tree has as many cells as asked, whole rounds at a time. Rounds depend on results alone, so that an
 * atlas that was interrupted, or is continued with more cells, goes through the same rounds.
 * @param options.signal stops it, as Ctrl-C and the end of the time that was given do.
 */
export async function computeAtlas(
  { setting, log }: OpenAtlas,
  options: {
    readonly cells: number;
    /** Number of worker threads; 0: run in this thread. */
    readonly jobs: number;
    readonly signal: AbortSignal;
    readonly onProgress: (progress: AtlasProgress) => void;
  },
): Promise<ComputedAtlas> {
  const { cells, jobs, signal, onProgress } = options;
  const { axes, strategies, tolerance } = setting;
  const each = strategies.length;
  const views = new Map<string, PointView>();
  const view = (point: AtlasPoint): PointView => {
    const key = pointKey(point);
    const known = views.get(key) ?? viewOf(log.at(key)!);
    views.set(key, known);
    return known;
  };
  const tree = new AtlasTree(axes);
  const counted = new Set<string>();
  let computed = 0;
  let complete: AtlasTree | undefined;
  let fresh: readonly number[] = tree.leaves();
  for (;;) {
    const corners = missingCorners(tree, fresh, (key) => counted.has(key));
    const missing = corners.filter((point) => !log.has(pointKey(point)));
    const progress = () => {
      const known = corners.filter((point) => log.has(pointKey(point))).length;
      onProgress({ cells: (counted.size + known) * each, computed, round: corners.length * each });
    };
    progress();
    const take = async ({ point, cells: results }: PointProduct) => {
      await log.add(point, results);
      computed += each;
      progress();
    };
    const orders = missing.map((point) => ({ id: pointKey(point), point }));
    if (jobs > 0) {
      const nameOf = ({ id }: PointOrder) => `point ${id}`;
      const entry = 'atlas/point-worker';
      await runOrders<PointOrder, PointProduct>(orders, { entry, jobs, setting, signal, nameOf, take });
    } else {
      for (const order of orders) {
        if (signal.aborted) break;
        await take({ ...order, cells: computePoint(setting, order.point) });
      }
    }
    if (corners.some((point) => !log.has(pointKey(point)))) return { tree: complete, ended: 'stopped' };
    for (const point of corners) counted.add(pointKey(point));
    complete = new AtlasTree(axes, tree.splits);
    if (counted.size * each >= cells) return { tree: complete, ended: 'cells' };
    const splits = nextSplits(tree, axes, view, tolerance);
    if (splits.length === 0) return { tree: complete, ended: 'resolved' };
    for (const split of splits) tree.split(split);
    fresh = tree.leaves().slice(-2 * splits.length);
  }
}
