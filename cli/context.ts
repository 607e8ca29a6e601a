import { stderr } from 'node:process';
import { Log, logLevel } from '../io/os/log.ts';
import { StatusLine } from './status-line.ts';

export interface CommonOptions {
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly json?: boolean;
}

/** What every command has: a log and a status line that do not write over each other. */
export class Context {
  readonly log: Log;
  readonly #quiet: boolean;
  #status: StatusLine | undefined;

  constructor(options: CommonOptions) {
    this.#quiet = options.quiet === true;
    this.log = new Log({
      level: logLevel({ quiet: this.#quiet, verbose: options.verbose === true }),
      json: options.json === true,
      write: (line) => {
        this.#status?.clear();
        stderr.write(line);
      },
    });
  }

  /** Shows what `describe` says, for as long as the run lasts. */
  showStatus(describe: () => string | undefined): void {
    this.#status?.close();
    this.#status = new StatusLine({ describe, log: this.log, quiet: this.#quiet });
  }

  closeStatus(): void {
    this.#status?.close();
    this.#status = undefined;
  }

  /** Text for people at the end of a run, on stderr. */
  print(text: string): void {
    this.#status?.clear();
    if (!this.#quiet) stderr.write(`${text}\n`);
  }
}
