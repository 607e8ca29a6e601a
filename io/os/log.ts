import { stderr } from 'node:process';

const LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LEVELS)[number];

/** What goes beside the message: plain data that JSON can hold. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

export interface LogOptions {
  /** The least urgent level that is still written. */
  readonly level: LogLevel;
  /** One JSON object a line instead of text for people. */
  readonly json?: boolean;
  /** Where a line goes, its line feed included; stderr unless told otherwise, since stdout is for data. */
  readonly write?: (line: string) => void;
}

/** `-q` leaves errors only, each `-v` adds a level. */
export function logLevel({ quiet, verbose }: { readonly quiet: boolean; readonly verbose: boolean }): LogLevel {
  if (quiet) return 'error';
  return verbose ? 'debug' : 'info';
}

/** The diary of a run: lines on stderr, for people or (as JSON lines) for programs. */
export class Log {
  readonly #threshold: number;
  readonly #json: boolean;
  readonly #write: (line: string) => void;

  constructor({ level, json = false, write = (line) => void stderr.write(line) }: LogOptions) {
    this.#threshold = LEVELS.indexOf(level);
    this.#json = json;
    this.#write = write;
  }

  error(message: string, fields?: LogFields): void {
    this.#line('error', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#line('warn', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#line('info', message, fields);
  }

  debug(message: string, fields?: LogFields): void {
    this.#line('debug', message, fields);
  }

  #line(level: LogLevel, message: string, fields: LogFields = {}): void {
    if (LEVELS.indexOf(level) > this.#threshold) return;
    if (this.#json) {
      // `fields` first: a field can't pass for the level or the message.
      this.#write(`${JSON.stringify({ ...fields, time: new Date().toISOString(), level, message })}\n`);
      return;
    }
    const details = Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(
        ([name, value]) =>
          ` ${name}=${typeof value === 'string' && /[\s"]/.test(value) ? JSON.stringify(value) : value}`,
      );
    this.#write(`${level === 'info' ? '' : `${level}: `}${message}${details.join('')}\n`);
  }
}

/** A log whose lines, without their line feed, go to a callback; nowhere without one. */
export const lineLog = (onLine: ((line: string) => void) | undefined): Log =>
  new Log({ level: onLine ? 'info' : 'error', write: (line) => onLine?.(line.trimEnd()) });
