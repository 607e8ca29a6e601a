import { assert } from '../protocol/base/assert.ts';
import type { CellFiles } from './cell-source.ts';
import { computeCell, type WorkOrder, type WorkProduct } from './compute-cell.ts';
import { estimatedCost, type GridCell } from './grid.ts';
import { assertKernelAllows } from './measured/measure-cell.ts';
import { namespacesMax } from './measured/measurement.ts';
import { runMeasurements } from './measured/run-measurements.ts';
import type { Attachment, CellStore } from './store/cell-store.ts';
import { codeFingerprint } from './store/code-fingerprint.ts';
import { isKernelStrategy } from './strategies.ts';
import { runOrders } from './worker-pool.ts';

export interface SweepOptions {
  readonly cells: readonly GridCell[];
  readonly files: CellFiles;
  readonly store: CellStore;
  /** Number of worker threads; 0: run in this thread. */
  readonly jobs: number;
  /** Attachments requested for a cell. */
  readonly attachmentsOf: (cell: GridCell) => readonly Attachment[];
  /** True: finished cells are run again. */
  readonly fresh: boolean;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: SweepProgress) => void;
}

export interface SweepProgress {
  readonly cells: number;
  /** Cells finished, and those of them that were finished before. */
  readonly done: number;
  readonly reused: number;
  /** Fraction of the initial work done, 0 … 1. */
  readonly workDone: number;
  /** Remaining time of real-time cells, seconds. */
  readonly secondsLeft?: number;
}

/** Runs all unfinished cells. @returns the progress, which is incomplete when interrupted. */
export async function sweep(options: SweepOptions): Promise<SweepProgress> {
  const { cells, files, store, jobs, attachmentsOf, signal, onProgress } = options;
  const code = codeFingerprint();
  await store.prepare();
  const waiting: GridCell[] = [];
  const asked = new Map<string, readonly Attachment[]>();
  for (const cell of cells) {
    const { isFinished, attachments } = await stateOf(cell, store, code, attachmentsOf(cell));
    if (isFinished && !options.fresh) continue;
    waiting.push(cell);
    asked.set(cell.id, attachments);
  }
  const reused = cells.length - waiting.length;
  const work = waiting.reduce((sum, { cell }) => sum + estimatedCost(cell), 0);
  let worked = 0;
  let done = reused;
  const costs = new Map(waiting.map(({ id, cell }) => [id, estimatedCost(cell)]));
  const progress = (): SweepProgress => {
    return { cells: cells.length, done, reused, workDone: work === 0 ? 1 : worked / work };
  };
  const take = async ({ id, finished, attachments }: WorkProduct) => {
    await store.write(finished, attachments);
    const cost = costs.get(id);
    assert(cost !== undefined, 'a result must belong to an order');
    worked += cost;
    done++;
    onProgress(progress());
  };
  onProgress(progress());
  const measured = waiting.filter(({ cell }) => isKernelStrategy(cell.strategy));
  // Check before time is spent on other cells.
  await assertKernelAllows(
    measured.map(({ cell }) => cell),
    files,
  );
  // Most expensive first, so that no thread ends with a long cell alone.
  const simulated = waiting.filter(({ cell }) => !isKernelStrategy(cell.strategy));
  const ordered = simulated.sort((one, other) => costs.get(other.id)! - costs.get(one.id)!);
  const orders = ordered.map((cell) => ({ ...cell, attachments: asked.get(cell.id)! }));
  const setting = { files, code };
  if (jobs > 0) {
    await runOrders<WorkOrder, WorkProduct>(orders, { entry: 'worker', jobs, setting, take, nameOf, signal });
  } else {
    for (const order of orders) {
      if (signal.aborted) break;
      await take(computeCell(order, setting));
    }
  }
  // Real-time cells run last, when no worker is busy.
  await runMeasurements(
    measured.map((cell) => ({ ...cell, attachments: asked.get(cell.id)! })),
    {
      jobs: Math.min(Math.max(1, jobs), namespacesMax()),
      files,
      code,
      take,
      signal,
      onSecondsLeft: (secondsLeft) => onProgress({ ...progress(), secondsLeft }),
    },
  );
  return progress();
}

function nameOf({ id, cell: { strategy, forward, budgetMs } }: WorkOrder): string {
  return `cell ${id.slice(0, 8)} (${strategy}, "${forward}", ${budgetMs} ms)`;
}

/** Returns whether a cell is finished, and its attachments: those requested and those it already has. */
async function stateOf(
  { id }: GridCell,
  store: CellStore,
  code: string,
  wanted: readonly Attachment[],
): Promise<{ readonly isFinished: boolean; readonly attachments: readonly Attachment[] }> {
  const found = await store.read(id);
  if (typeof found === 'string' || found.code !== code) return { isFinished: false, attachments: wanted };
  let isFinished = true;
  for (const kind of wanted) {
    const hash = found.attachments[kind];
    isFinished &&= hash !== undefined && (await store.isWhole(id, kind, hash));
  }
  const had = Object.keys(found.attachments) as Attachment[];
  return { isFinished, attachments: [...new Set([...wanted, ...had])] };
}
