import { stderr } from 'node:process';
import { Log, type LogFields, logLevel } from '../io/os/log.ts';
import { hasColors } from '../io/os/terminal-colors.ts';
import { StatusLine } from './status-line.ts';
import type { Status } from './status-text.ts';

export interface CommonOptions {
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly json?: boolean;
}

/** Log and status line of a command, which do not overwrite each other. */
export class Context {
  readonly log: Log;
  readonly #quiet: boolean;
  readonly #json: boolean;
  #status: StatusLine | undefined;

  constructor(options: CommonOptions) {
    this.#quiet = options.quiet === true;
    this.#json = options.json === true;
    this.log = new Log({
      level: logLevel({ quiet: this.#quiet, verbose: options.verbose === true }),
      json: options.json === true,
      color: hasColors(stderr),
      write: (line) => {
        this.#status?.clear();
        stderr.write(line);
      },
    });
  }

  /**
   * Shows a status line with the figures of `describe` until it is closed.
   * @param fields figures that a log of JSON lines has beside the text.
   */
  showStatus(describe: () => Status | undefined, fields?: () => LogFields): void {
    this.#status?.close();
    this.#status = new StatusLine({
      describe,
      log: this.log,
      quiet: this.#quiet,
      ...(this.#json && fields && { fields }),
    });
  }

  closeStatus(): void {
    this.#status?.close();
    this.#status = undefined;
  }

  /** Prints text for people on stderr at the end of a run, unless `--quiet`. */
  print(text: string): void {
    this.#status?.clear();
    if (!this.#quiet) stderr.write(`${text}\n`);
  }
}
