import { stderr } from 'node:process';
import { now } from '../io/os/clock.ts';

/** Signals closer together than this count as one, microseconds. */
const SAME_SIGNAL = 300_000;

/** Exit code of an interrupted run: 128 + SIGINT. */
export const INTERRUPTED = 130;

/**
 * Thrown when the user stops a run that has no result yet. The message says, in one line, what is kept and how to
 * continue.
 */
export class Interrupted extends Error {}

/** Handles SIGINT, SIGTERM and SIGHUP: the first signal stops the run cleanly, the second exits at once. */
export class Interrupt {
  readonly #onFirst: () => void;
  #count = 0;
  #firstAt = 0;

  /** @param onFirst called once, at the first signal. */
  constructor(onFirst: () => void) {
    this.#onFirst = onFirst;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, this.#handle);
  }

  get requested(): boolean {
    return this.#count > 0;
  }

  dispose(): void {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, this.#handle);
  }

  readonly #handle = (): void => {
    // `timeout` and some shells signal both the process and its group: that is one request.
    if (this.#count > 0 && now() - this.#firstAt < SAME_SIGNAL) return;
    if (this.#count === 0) this.#firstAt = now();
    this.#count++;
    if (this.#count > 1) process.exit(INTERRUPTED);
    this.#onFirst();
  };
}

/**
 * Runs work that cannot stop cleanly: the first signal exits the process.
 * @param line printed then, says what is kept.
 */
export async function exitAtOnceOnSignal<Result>(line: string, work: () => Promise<Result>): Promise<Result> {
  const interrupt = new Interrupt(() => {
    stderr.write(`dropframe: interrupted: ${line}\n`);
    process.exit(INTERRUPTED);
  });
  try {
    return await work();
  } finally {
    interrupt.dispose();
  }
}
