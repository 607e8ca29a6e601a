import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { atExit } from '../../io/os/at-exit.ts';
import { causeOf, Failure } from '../../io/os/failure.ts';

const TEMPORARY = '.tmp-';
/** No file of ours takes an hour to write: what is older was left behind. */
const ABANDONED_MS = 3_600_000;

/**
 * Writes a file whole or not at all: under another name first, then renamed. Someone else who writes the same file at
 * the same time does no harm.
 * @throws {Failure} such as that the disk is full; nothing half-written is left, nor is it when the process ends.
 */
export async function writeAtomically(path: string, content: string | Uint8Array): Promise<void> {
  await buildAtomically(path, (temporary) => writeFile(temporary, content));
}

/** The same for a file that is made bit by bit. @param build writes the file under the name that it is given. */
export async function buildAtomically(path: string, build: (temporary: string) => Promise<void>): Promise<void> {
  // No number of a process: in containers that share a folder all of them may have the same.
  const temporary = `${path}${TEMPORARY}${randomUUID()}`;
  const isDone = atExit(() => rmSync(temporary, { force: true }));
  try {
    await build(temporary);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    if (error instanceof Failure) throw error;
    throw new Failure(`cannot write ${path}: ${causeOf(error)}; what was finished before is kept`, 1, { cause: error });
  } finally {
    isDone();
  }
}

export async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch {
    // Once more: on a read-only disk it calls the directory missing when it is to make those above it as well.
    await mkdir(path).catch((error) => {
      throw new Failure(`cannot make the directory ${path}: ${causeOf(error)}`);
    });
  }
}

/** Removes what a process that was killed had begun. */
export async function removeAbandoned(directory: string, now: number): Promise<void> {
  for (const name of await readdir(directory).catch(() => [])) {
    if (!name.includes(TEMPORARY)) continue;
    const path = join(directory, name);
    const found = await stat(path).catch(() => undefined);
    if (found && now - found.mtimeMs > ABANDONED_MS) await rm(path, { force: true });
  }
}
