import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pid } from 'node:process';
import { CONTROL_USER_AGENT } from '../../protocol/control/control-version.ts';
import { causeOf } from './failure.ts';

/** Whoever breaks an invariant on purpose does so again and again; the disk is not theirs to fill. */
const REPORTS_MAX = 8;
let reports = 0;

export interface FaultCircumstances {
  /** The end that failed: `receiver`, `sender`. */
  readonly where: string;
  readonly error: unknown;
  /** How it was set up, its keys apart, and what it was given last. */
  readonly details: Readonly<Record<string, unknown>>;
}

/**
 * Writes a report of a broken invariant that its user can send to us: no media but for the headers of some packets, no
 * keys, no paths but those of the stack.
 * @returns one line: what broke, and where the report is, if there is one.
 */
export function reportFault({ where, error, details }: FaultCircumstances): string {
  const what = `internal error of the ${where}: ${causeOf(error)}`;
  if (reports >= REPORTS_MAX) return what;
  const path = join(tmpdir(), `dropframe-fault-${pid}-${++reports}.json`);
  const report = {
    program: CONTROL_USER_AGENT,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    time: new Date().toISOString(),
    where,
    error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    ...details,
  };
  try {
    // `wx`: a file or a link that someone else put there is not written to.
    writeFileSync(path, `${JSON.stringify(report, undefined, 1)}\n`, { flag: 'wx', mode: 0o600 });
  } catch (cause) {
    return `${what} (no report: ${causeOf(cause)})`;
  }
  return `${what}; please send us the report ${path}`;
}
