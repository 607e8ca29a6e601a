import { realpath, stat, writeFile } from 'node:fs/promises';
import { causeOf, Failure } from '../io/os/failure.ts';
import { requireReader } from '../io/os/writable-path.ts';
import { writeAtomically } from '../lab/store/atomic-file.ts';

/**
 * Writes a result as a whole or not at all: on a full disk a previous file stays and no empty one appears. A device or
 * a pipe, such as /dev/stdout, is written directly.
 *
 * @param what names the result in the error.
 * @throws {Failure} when it cannot be written.
 */
export async function writeResult(what: string, path: string, text: string): Promise<void> {
  try {
    requireReader(path);
    const present = await stat(path).catch(() => undefined);
    if (present && !present.isFile()) await writeFile(path, text);
    // A symbolic link stays one.
    else await writeAtomically(present ? await realpath(path) : path, text);
  } catch (error) {
    throw new Failure(`cannot write ${what} ${path}: ${causeOf((error as Error).cause ?? error)}`);
  }
}

export const writeJson = (what: string, path: string, value: unknown): Promise<void> =>
  writeResult(what, path, `${JSON.stringify(value, null, 2)}\n`);
