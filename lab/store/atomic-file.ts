import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { atExit } from '../../io/os/at-exit.ts';
import { causeOf, Failure } from '../../io/os/failure.ts';

const TEMPORARY = '.tmp-';
/** No file takes an hour to write, so older temporary files are abandoned. */
const ABANDONED_MS = 3_600_000;

/**
 * Writes a file atomically, through a temporary file and a rename. Concurrent writers of the same file are safe.
 *
 * @throws {Failure} when writing fails, for example on a full disk; no partial file remains.
 */
export async function writeAtomically(path: string, content: string | Uint8Array): Promise<void> {
  await buildAtomically(path, (temporary) => writeFile(temporary, content));
}

/** Writes a file atomically in several steps. @param build writes the file under the given temporary name. */
export async function buildAtomically(path: string, build: (temporary: string) => Promise<void>): Promise<void> {
  // Not the process id: containers that share a folder may have equal ids.
  const temporary = `${path}${TEMPORARY}${randomUUID()}`;
  const isDone = atExit(() => rmSync(temporary, { force: true }));
  try {
    await build(temporary);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    if (error instanceof Failure) throw error;
    throw new Failure(`cannot write ${path}: ${causeOf(error)}; finished results are kept`, 1, { cause: error });
  } finally {
    isDone();
  }
}

/**
 * Makes a directory and those above it. Not by `mkdir` with `recursive`, which never returns where a file system reports
 * a missing directory for a name that it refuses, as /proc does.
 * @throws {Failure} with the reason.
 */
export async function makeDirectory(path: string): Promise<void> {
  await makeWithParents(resolve(path)).catch((error) => {
    throw new Failure(`cannot make the directory ${path}: ${causeOf(error)}`);
  });
}

async function makeWithParents(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const isThere = (await stat(path).catch(() => undefined))?.isDirectory();
    if (isThere) return;
    if (code !== 'ENOENT' || dirname(path) === path) throw error;
    await makeWithParents(dirname(path));
    // Once: the second refusal is final.
    await mkdir(path).catch((again: NodeJS.ErrnoException) => {
      if (again.code !== 'EEXIST') throw again;
    });
  }
}

/** Removes temporary files of killed processes. */
export async function removeAbandoned(directory: string, now: number): Promise<void> {
  for (const name of await readdir(directory).catch(() => [])) {
    if (!name.includes(TEMPORARY)) continue;
    const path = join(directory, name);
    const found = await stat(path).catch(() => undefined);
    if (found && now - found.mtimeMs > ABANDONED_MS) await rm(path, { force: true });
  }
}
