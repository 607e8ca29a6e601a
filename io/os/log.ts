import { stderr } from 'node:process';
import type { Instant } from '../../protocol/base/units.ts';
import { now } from './clock.ts';
import { RepeatLimit } from './repeat-limit.ts';
import { type TerminalTone, toned } from './terminal-colors.ts';

const LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LEVELS)[number];

/** Start of a line by level, after GNU's form `program: warning: message`; info lines have no prefix. */
const LABELS: Readonly<Record<LogLevel, { readonly text: string; readonly tone?: TerminalTone }>> = {
  error: { text: 'dropframe: ', tone: 'bad' },
  warn: { text: 'dropframe: warning: ', tone: 'caution' },
  info: { text: '' },
  debug: { text: 'debug: ', tone: 'faint' },
};

/** Fields logged with a message: plain values that JSON can hold. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

export interface LogOptions {
  /** Least severe level that is written. */
  readonly level: LogLevel;
  /** One JSON object per line instead of text. */
  readonly json?: boolean;
  /** True to color the level of errors and warnings, for a terminal. */
  readonly color?: boolean;
  /** Clock of the limit on repeated warnings; default: that of the process. */
  readonly clock?: () => Instant;
  /** Receives each line with its line feed; stderr by default, since stdout is for data. */
  readonly write?: (line: string) => void;
}

/** Returns the log level: `--quiet` errors only, `--verbose` everything. */
export function logLevel({ quiet, verbose }: { readonly quiet: boolean; readonly verbose: boolean }): LogLevel {
  if (quiet) return 'error';
  return verbose ? 'debug' : 'info';
}

/** Log of a run: lines on stderr as text or JSON. */
export class Log {
  readonly #threshold: number;
  readonly #json: boolean;
  readonly #color: boolean;
  readonly #write: (line: string) => void;
  readonly #clock: () => Instant;
  readonly #repeats = new RepeatLimit();

  constructor({
    level,
    json = false,
    color = false,
    clock = now,
    write = (line) => void stderr.write(line),
  }: LogOptions) {
    this.#threshold = LEVELS.indexOf(level);
    this.#json = json;
    this.#color = color;
    this.#write = write;
    this.#clock = clock;
  }

  error(message: string, fields?: LogFields): void {
    this.#line('error', message, fields);
  }

  /** Writes a warning; those that repeat, apart from their numbers, at growing intervals, unless the log is verbose. */
  warn(message: string, fields?: LogFields): void {
    const verbose = this.#threshold === LEVELS.indexOf('debug');
    const withheld = verbose ? 0 : this.#repeats.admit(this.#clock(), message);
    if (withheld === undefined) return;
    this.#line('warn', message, withheld === 0 ? fields : { ...fields, repeated: withheld });
  }

  info(message: string, fields?: LogFields): void {
    this.#line('info', message, fields);
  }

  debug(message: string, fields?: LogFields): void {
    this.#line('debug', message, fields);
  }

  /** Writes lines for people at the level of `info`; a log of JSON lines leaves them out. */
  drawing(lines: string): void {
    if (!this.#json && LEVELS.indexOf('info') <= this.#threshold) this.#write(`${lines}\n`);
  }

  #line(level: LogLevel, message: string, fields: LogFields = {}): void {
    if (LEVELS.indexOf(level) > this.#threshold) return;
    if (this.#json) {
      // `fields` first, so that they cannot override level or message.
      this.#write(`${JSON.stringify({ ...fields, time: new Date().toISOString(), level, message })}\n`);
      return;
    }
    const details = Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(
        ([name, value]) =>
          ` ${name}=${typeof value === 'string' && /[\s"]/.test(value) ? JSON.stringify(value) : value}`,
      );
    const { text, tone } = LABELS[level];
    this.#write(`${this.#color && tone ? toned(text, tone) : text}${message}${details.join('')}\n`);
  }
}

/** A log whose lines, without their line feed, go to a callback; nowhere without one. */
export const lineLog = (onLine: ((line: string) => void) | undefined): Log =>
  new Log({ level: onLine ? 'info' : 'error', write: (line) => onLine?.(line.trimEnd()) });
