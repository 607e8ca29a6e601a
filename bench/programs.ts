import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { Failure } from '../io/os/failure.ts';

/** Time for a program to end after SIGINT, milliseconds. */
const PATIENCE_MS = 3_000;
/** Time for a program to report that it is ready, milliseconds. */
const READY_MS = 60_000;

/** All processes started by a benchmark, so that none outlives it. */
export class Programs {
  readonly #running = new Set<ChildProcess>();
  readonly #killAll = () => {
    for (const child of this.#running) child.kill('SIGKILL');
  };

  constructor() {
    process.on('exit', this.#killAll);
  }

  start(command: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'ignore'], ...options });
    this.#running.add(child);
    child.once('exit', () => this.#running.delete(child));
    child.once('error', () => this.#running.delete(child));
    return child;
  }

  /** Starts one of the benchmarks' compiled programs in its own Node process. */
  startOurs(program: string, args: readonly string[], options: SpawnOptions & { nodeArgs?: readonly string[] } = {}) {
    const path = fileURLToPath(new URL(`./${program}.js`, import.meta.url));
    return this.start(process.execPath, [...(options.nodeArgs ?? []), path, ...args], options);
  }

  /** Stops a program with SIGINT, and after a timeout with SIGKILL. */
  async stop(child: ChildProcess): Promise<void> {
    if (!this.#running.has(child)) return;
    const exited = once(child, 'exit');
    child.kill('SIGINT');
    const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
    await exited;
    clearTimeout(timer);
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.#running].map((child) => this.stop(child)));
    process.off('exit', this.#killAll);
  }
}

/** Returns the first match in a program's output lines. @throws {Failure} when it ends or stays silent too long. */
export async function line(output: Readable, pattern: RegExp, what: string): Promise<RegExpExecArray> {
  const lines = createInterface({ input: output });
  const seen: string[] = [];
  const timer = setTimeout(() => lines.close(), READY_MS);
  try {
    for await (const text of lines) {
      const match = pattern.exec(text);
      if (match) return match;
      seen.push(text);
    }
  } finally {
    clearTimeout(timer);
    lines.close();
    output.resume();
  }
  throw new Failure(`${what} did not start: ${seen.at(-1) ?? 'no output'}`);
}

/** Returns the complete stdout of a program after it has ended. */
export async function outputOf(child: ChildProcess, what: string): Promise<string> {
  let text = '';
  child.stdout!.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Failure(`${what} failed`);
  return text;
}

export const sleep = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(new BenchInterrupted());
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abort);
      resolve();
    }, ms);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });

/** BenchInterrupted by Ctrl-C. */
export class BenchInterrupted extends Error {}
