import { stderr } from 'node:process';
import { Log, logLevel } from '../io/os/log.ts';
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
  #status: StatusLine | undefined;

  constructor(options: CommonOptions) {
    this.#quiet = options.quiet === true;
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

  /** Shows a status line with the figures of `describe` until it is closed. */
  showStatus(describe: () => Status | undefined): void {
    this.#status?.close();
    this.#status = new StatusLine({ describe, log: this.log, quiet: this.#quiet });
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
