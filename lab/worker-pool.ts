import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { Failure } from '../io/failure.ts';
import type { WorkerSetting, WorkOrder, WorkProduct } from './compute-cell.ts';

/** What a thread answers. */
type Answer = WorkProduct | { readonly id: string; readonly failure: string };

/** Compiled it lies beside this file; in a checkout the source does, which Node 20 cannot run without help. */
function newWorker(setting: WorkerSetting): Worker {
  if (!import.meta.url.endsWith('.ts'))
    return new Worker(new URL('./worker.js', import.meta.url), { workerData: setting });
  const tsx = pathToFileURL(
    createRequire(import.meta.url)
      .resolve('tsx/esm/api')
      .replace(/\.cjs$/, '.mjs'),
  ).href;
  const entry = new URL('./worker.ts', import.meta.url).href;
  const script = `import('${tsx}').then(({ register }) => { register(); return import('${entry}'); });`;
  return new Worker(script, { eval: true, workerData: setting });
}

/**
 * Runs orders on so many threads, each of which takes the next one when it is done.
 * @param take gets each product; the thread waits for it, so that no more is in memory than threads are.
 * @param signal ends all threads at once; then the promise resolves as well.
 * @throws {Failure} when a cell cannot be run; the other threads end then.
 */
export async function runOrders(
  orders: readonly WorkOrder[],
  options: {
    readonly jobs: number;
    readonly setting: WorkerSetting;
    readonly take: (product: WorkProduct) => Promise<void>;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { jobs, setting, take, signal } = options;
  let next = 0;
  const workers: Worker[] = [];
  const stop = () => void Promise.all(workers.map((worker) => worker.terminate()));
  signal.addEventListener('abort', stop, { once: true });
  const run = async (): Promise<void> => {
    if (signal.aborted || next >= orders.length) return;
    const worker = newWorker(setting);
    workers.push(worker);
    try {
      while (next < orders.length && !signal.aborted) {
        const order = orders[next++]!;
        const answer = await ask(worker, order, signal);
        if (answer === undefined) return;
        if ('failure' in answer) throw failed(order, answer.failure);
        await take(answer);
      }
    } finally {
      await worker.terminate();
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(jobs, orders.length) }, run));
  } finally {
    signal.removeEventListener('abort', stop);
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

/** @returns `undefined` when the thread was ended before it was done. */
function ask(worker: Worker, order: WorkOrder, signal: AbortSignal): Promise<Answer | undefined> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void) => {
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
      finish();
    };
    const onMessage = (answer: Answer) => settle(() => resolve(answer));
    const onError = (error: unknown) => settle(() => reject(failed(order, (error as Error).message)));
    const onExit = (code: number) => {
      settle(() => (signal.aborted ? resolve(undefined) : reject(failed(order, `its thread ended with ${code}`))));
    };
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
    worker.postMessage(order);
  });
}

function failed({ id, cell }: WorkOrder, why: string): Failure {
  const { strategy, forward, budgetMs } = cell;
  return new Failure(`cell ${id.slice(0, 8)} (${strategy}, "${forward}", ${budgetMs} ms) failed: ${why}`);
}
