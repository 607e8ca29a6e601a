import { stderr } from 'node:process';
import { now } from '../io/os/clock.ts';

/** Signals this close together are one, microseconds. */
const ONE_WISH = 300_000;

/** The exit code of a run that was interrupted: 128 + SIGINT. */
export const INTERRUPTED = 130;

/** The user ended a run that has no result of its own yet. Its message is one line: what is kept, how to go on. */
export class Interrupted extends Error {}

/** Ctrl-C, SIGTERM and a closed terminal: the first ends cleanly, the second at once. */
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
    // `timeout` and some shells send a signal to the process and to its group: that is one wish, not two.
    if (this.#count > 0 && now() - this.#firstAt < ONE_WISH) return;
    if (this.#count === 0) this.#firstAt = now();
    this.#count++;
    if (this.#count > 1) process.exit(INTERRUPTED);
    this.#onFirst();
  };
}

/** Does what has no good place to stop in: at the first signal the process ends. @param line tells then what is kept. */
export async function endingAtOnce<Result>(line: string, work: () => Promise<Result>): Promise<Result> {
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
