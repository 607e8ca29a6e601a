import { stderr } from 'node:process';
import type { Log, LogFields } from '../io/os/log.ts';
import { hasColors } from '../io/os/terminal-colors.ts';
import { fitStatus, type Status, statusInFull } from './status-text.ts';

/** Interval of status lines in the log where stderr is not a terminal, milliseconds. */
const LOGGED_EVERY_MS = 5_000;
const SHOWN_EVERY_MS = 500;

/** Status of a run: one line that is redrawn at the bottom of a terminal, or a log line at intervals elsewhere. */
export class StatusLine {
  readonly #describe: () => Status | undefined;
  readonly #timer: NodeJS.Timeout;
  readonly #live: boolean;
  #shown = false;

  constructor(options: {
    readonly describe: () => Status | undefined;
    /** Fields of each log line. */
    readonly fields?: () => LogFields;
    readonly log: Log;
    readonly quiet: boolean;
  }) {
    this.#describe = options.describe;
    this.#live = stderr.isTTY === true && !options.quiet;
    const tick = () => {
      if (this.#live) return this.#draw();
      const status = this.#describe();
      if (status !== undefined && !options.quiet) options.log.info(statusInFull(status), options.fields?.());
    };
    this.#timer = setInterval(tick, this.#live ? SHOWN_EVERY_MS : LOGGED_EVERY_MS);
    this.#timer.unref();
  }

  /** Erases the line to make room for other output; the next tick draws it again below. */
  clear(): void {
    if (this.#shown) stderr.write('\r\x1b[K');
    this.#shown = false;
  }

  close(): void {
    clearInterval(this.#timer);
    this.clear();
  }

  #draw(): void {
    const status = this.#describe();
    if (status === undefined) return;
    // The last column stays free: some terminals wrap once it is written.
    const width = Math.max(20, (stderr.columns || 80) - 1);
    stderr.write(`\r\x1b[K${fitStatus(status, { width, color: hasColors(stderr) })}`);
    this.#shown = true;
  }
}
