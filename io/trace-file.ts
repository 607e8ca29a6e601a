import { existsSync, readFileSync, statSync } from 'node:fs';
import { malformed, type Parsed, parsed } from '../protocol/base/parsed.ts';
import { causeOf } from './os/failure.ts';
import { readyMadeTraces } from './ready-made-traces.ts';

/** Largest trace file: ten times the longest of Mahimahi's own. */
const BYTES_MAX = 200_000_000;

/**
 * Reads a file named by a link (`trace=`, `losstrace=`), or returns why it cannot be read.
 * @param name as written in the link; if no such file exists, a bundled trace of that name is used.
 */
export function readTraceFile(path: string, name = path): Parsed<string> {
  try {
    const readyMade = existsSync(path) ? undefined : readyMadeTraces().get(name);
    if (readyMade !== undefined) return parsed(readyMade);
    const stat = statSync(path);
    if (!stat.isFile()) return malformed(`${path} is not a file`);
    if (stat.size > BYTES_MAX) return malformed(`${path} has more than ${BYTES_MAX / 1e6} MB`);
    return parsed(readFileSync(path, 'utf8'));
  } catch (error) {
    return malformed(`cannot read ${path}: ${causeOf(error)}`);
  }
}
