import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pid } from 'node:process';
import { CONTROL_USER_AGENT } from '../../protocol/control/control-version.ts';
import { causeOf } from './failure.ts';

/** Limit of reports per process, so that repeated deliberate faults cannot fill the disk. */
const REPORTS_MAX = 8;
let reports = 0;

export interface FaultCircumstances {
  /** Endpoint that failed: `receiver` or `sender`. */
  readonly where: string;
  readonly error: unknown;
  /** Configuration of the endpoint without keys, and the last datagrams that it received. */
  readonly details: Readonly<Record<string, unknown>>;
}

/**
 * Writes a report of a broken invariant, for the user to send to the maintainers. It contains some packet
 * headers and a stack trace with its paths, but no other media, no other paths and no keys.
 * @returns one line with the error, and the path of the report if one was written.
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
    // `wx` fails on an existing file or link, which may belong to another user.
    writeFileSync(path, `${JSON.stringify(report, undefined, 1)}\n`, { flag: 'wx', mode: 0o600 });
  } catch (cause) {
    return `${what} (no report: ${causeOf(cause)})`;
  }
  return `${what}; please send us the report ${path}`;
}
