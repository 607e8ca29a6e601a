import { Worker } from 'node:worker_threads';

/** Starts a module of this folder as a thread. @param name without extension. */
export function threadOf(name: string, workerData: unknown): Worker {
  if (!import.meta.url.endsWith('.ts')) return new Worker(new URL(`./${name}.js`, import.meta.url), { workerData });
  // In a checkout without compiled files: threads do not inherit the loader.
  const [loader, thread] = ['tsx/esm/api', `./${name}.ts`].map((path) => JSON.stringify(import.meta.resolve(path)));
  const text = `import(${loader}).then(({ register }) => register()).then(() => import(${thread}));`;
  return new Worker(text, { eval: true, execArgv: [], workerData });
}
