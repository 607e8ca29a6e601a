import { stderr } from 'node:process';
import type { Log } from '../io/os/log.ts';

/** How often a line is logged where nobody watches a terminal. */
const LOGGED_EVERY_MS = 5_000;
const SHOWN_EVERY_MS = 500;

/** One line at the bottom of the terminal that changes as the run goes on; a log line now and then elsewhere. */
export class StatusLine {
  readonly #describe: () => string | undefined;
  readonly #timer: NodeJS.Timeout;
  readonly #live: boolean;
  #shown = false;

  constructor(options: { readonly describe: () => string | undefined; readonly log: Log; readonly quiet: boolean }) {
    this.#describe = options.describe;
    this.#live = stderr.isTTY === true && !options.quiet;
    const tick = () => {
      if (this.#live) return this.#draw();
      const text = this.#describe();
      if (text !== undefined && !options.quiet) options.log.info(text);
    };
    this.#timer = setInterval(tick, this.#live ? SHOWN_EVERY_MS : LOGGED_EVERY_MS);
    this.#timer.unref();
  }

  /** Makes room for another line on stderr; the status comes back below it. */
  clear(): void {
    if (this.#shown) stderr.write('\r\x1b[K');
    this.#shown = false;
  }

  close(): void {
    clearInterval(this.#timer);
    this.clear();
  }

  #draw(): void {
    const text = this.#describe();
    if (text === undefined) return;
    const width = Math.max(20, (stderr.columns ?? 80) - 1);
    stderr.write(`\r\x1b[K${text.slice(0, width)}`);
    this.#shown = true;
  }
}
