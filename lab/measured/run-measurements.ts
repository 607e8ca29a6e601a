import { now } from '../../io/os/clock.ts';
import { causeOf, Failure } from '../../io/os/failure.ts';
import { elapsed, type Instant, inMilliseconds, inSeconds } from '../../protocol/base/units.ts';
import { type Cell, linkOf, shortestTransit } from '../cell.ts';
import { type CellFiles, secondsOf } from '../cell-source.ts';
import type { WorkOrder, WorkProduct } from '../compute-cell.ts';
import { hashesOf, makeAttachments, packetLogFor } from '../store/cell-attachments.ts';
import { type MeasuredRun, measureCell } from './measure-cell.ts';
import { measuredCell } from './measured-frames.ts';

/** Time to create a namespace, start three processes and read their results, seconds; longer on a busy machine. */
const START_SECONDS = 2;
/** Interval of progress reports, milliseconds. */
const PROGRESS_MS = 1_000;

export interface MeasurementsOptions {
  /** Number of parallel namespaces. */
  readonly jobs: number;
  readonly files: CellFiles;
  readonly code: string;
  readonly take: (product: WorkProduct) => Promise<void>;
  readonly signal: AbortSignal;
  /** Receives the remaining time for undisturbed runs, seconds. */
  readonly onSecondsLeft: (seconds: number) => void;
}

/** Minimum real time of a cell, seconds. */
export const realSecondsOf = (cell: Cell, files: CellFiles): number =>
  START_SECONDS + secondsOf(cell.source) + inSeconds(shortestTransit(linkOf(cell.forward, files.traces)));

/**
 * Measures cells in real time, several in parallel, in the given order.
 *
 * @throws {Failure} when one cannot be measured.
 */
export async function runMeasurements(orders: readonly WorkOrder[], options: MeasurementsOptions): Promise<void> {
  const { jobs, files, code, take, signal, onSecondsLeft } = options;
  if (orders.length === 0 || signal.aborted) return;
  const abort = new AbortController();
  const stop = () => abort.abort();
  signal.addEventListener('abort', stop, { once: true });
  let next = 0;
  const running = new Map<WorkOrder, Instant>();
  const reportProgress = () => {
    let left = orders.slice(next).reduce((sum, { cell }) => sum + realSecondsOf(cell, files), 0);
    for (const [{ cell }, since] of running)
      left += Math.max(0, realSecondsOf(cell, files) - inSeconds(elapsed(since, now())));
    onSecondsLeft(left / Math.min(jobs, Math.max(1, orders.length - next + running.size)));
  };
  const progressTimer = setInterval(reportProgress, PROGRESS_MS);
  const work = async (): Promise<void> => {
    while (next < orders.length && !abort.signal.aborted) {
      const order = orders[next++]!;
      running.set(order, now());
      reportProgress();
      try {
        const began = now();
        const run = await measureCell(order.cell, files, { signal: abort.signal });
        await take(productOf(order, run, { files, code, wallMs: Math.round(inMilliseconds(elapsed(began, now()))) }));
      } catch (error) {
        if (abort.signal.aborted) return;
        abort.abort();
        const { strategy, forward } = order.cell;
        throw new Failure(`cell ${order.id.slice(0, 8)} (${strategy}, "${forward}"): ${causeOf(error)}`);
      } finally {
        running.delete(order);
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(jobs, orders.length) }, work));
  } finally {
    clearInterval(progressTimer);
    signal.removeEventListener('abort', stop);
  }
}

function productOf(
  { id, cell, attachments: asked }: WorkOrder,
  run: MeasuredRun,
  { files, code, wallMs }: { readonly files: CellFiles; readonly code: string; readonly wallMs: number },
): WorkProduct {
  const packets = packetLogFor(cell, asked);
  const { frames, row, bursts, datagrams } = measuredCell(cell, files, run, packets ? [packets] : []);
  // The real capture of the link, with IP headers.
  const attachments = makeAttachments(cell, asked, { frames, soundUnits: undefined, packets, capture: run.capture });
  const cost = { wallMs, datagrams };
  const { measurement } = run;
  const finished = { id, code, row, bursts, cost, measurement, attachments: hashesOf(attachments) };
  return { id, finished, attachments };
}
