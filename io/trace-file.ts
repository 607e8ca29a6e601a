import { existsSync, readFileSync, statSync } from 'node:fs';
import { malformed, type Parsed, parsed } from '../protocol/base/parsed.ts';
import { causeOf } from './os/failure.ts';
import { readyMadeTraces } from './ready-made-traces.ts';

/** Ten times the longest of Mahimahi's own. */
const BYTES_MAX = 200_000_000;

/**
 * The content of a file that a link names (`trace=`, `losstrace=`), or why there is none.
 * @param name as it stands in the link: where there is no such file, one that comes with us may have that name.
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
