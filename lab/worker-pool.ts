import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { Failure } from '../io/os/failure.ts';

/** Message with the id of its order. */
export interface Identified {
  readonly id: string;
}

/** Answer of a worker whose order failed. */
export interface Failed extends Identified {
  readonly failure: string;
}

/** Worker entry points: files relative to this folder. */
export type WorkerEntry = 'worker' | 'validation/check-worker' | 'atlas/point-worker';

/** The compiled file is next to this one; a checkout has the source, which Node 20 runs only with tsx. */
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
 * Runs orders on worker threads; each takes the next order when it is idle.
 *
 * @param options.take receives each product; the worker waits for it, which bounds memory.
 * @param options.signal terminates all workers; the promise then resolves.
 * @param options.nameOf short description of an order for messages.
 * @throws {Failure} when an order fails; the other workers are terminated.
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

/** @returns `undefined` when the worker was terminated before it answered. */
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
      settle(() =>
        signal.aborted ? resolve(undefined) : reject(failed(order, `its thread exited with code ${code}`)),
      );
    };
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
    worker.postMessage(order);
  });
}
