import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { Failure } from '../io/os/failure.ts';

/** What a thread is asked, and answers, is told by its id. */
export interface Identified {
  readonly id: string;
}

/** What a thread answers when it could not do it. */
export interface Failed extends Identified {
  readonly failure: string;
}

/** The threads that there are: the file in this folder that they run. */
export type WorkerEntry = 'worker' | 'validation/check-worker';

/** Compiled it lies beside this file; in a checkout the source does, which Node 20 cannot run without help. */
function newWorker(entry: WorkerEntry, workerData: unknown): Worker {
  if (!import.meta.url.endsWith('.ts')) return new Worker(new URL(`./${entry}.js`, import.meta.url), { workerData });
  const tsx = pathToFileURL(
    createRequire(import.meta.url)
      .resolve('tsx/esm/api')
      .replace(/\.cjs$/, '.mjs'),
  ).href;
  const source = new URL(`./${entry}.ts`, import.meta.url).href;
  const script = `import('${tsx}').then(({ register }) => { register(); return import('${source}'); });`;
  return new Worker(script, { eval: true, workerData });
}

/**
 * Runs orders on so many threads, each of which takes the next one when it is done.
 * @param options.take gets each product; the thread waits for it, so that no more is in memory than threads are.
 * @param options.signal ends all threads at once; then the promise resolves as well.
 * @param options.nameOf what failed, in a few words.
 * @throws {Failure} when an order cannot be carried out; the other threads end then.
 */
export async function runOrders<Order extends Identified, Product extends Identified>(
  orders: readonly Order[],
  options: {
    readonly entry: WorkerEntry;
    readonly jobs: number;
    readonly setting: unknown;
    readonly take: (product: Product) => Promise<void> | void;
    readonly nameOf: (order: Order) => string;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { entry, jobs, setting, take, nameOf, signal } = options;
  const failed = (order: Order, why: string) => new Failure(`${nameOf(order)} failed: ${why}`);
  let next = 0;
  const workers: Worker[] = [];
  const stop = () => void Promise.all(workers.map((worker) => worker.terminate()));
  signal.addEventListener('abort', stop, { once: true });
  const run = async (): Promise<void> => {
    if (signal.aborted || next >= orders.length) return;
    const worker = newWorker(entry, setting);
    workers.push(worker);
    try {
      while (next < orders.length && !signal.aborted) {
        const order = orders[next++]!;
        const answer = await ask<Order, Product>(worker, order, { signal, failed });
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
function ask<Order extends Identified, Product extends Identified>(
  worker: Worker,
  order: Order,
  { signal, failed }: { readonly signal: AbortSignal; readonly failed: (order: Order, why: string) => Failure },
): Promise<Product | Failed | undefined> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void) => {
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
      finish();
    };
    const onMessage = (answer: Product | Failed) => settle(() => resolve(answer));
    const onError = (error: unknown) => settle(() => reject(failed(order, (error as Error).message)));
    const onExit = (code: number) => {
      settle(() => (signal.aborted ? resolve(undefined) : reject(failed(order, `its thread ended with ${code}`))));
    };
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
    worker.postMessage(order);
  });
}
