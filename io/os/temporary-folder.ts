import { rmSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pid } from 'node:process';
import { atExit } from './at-exit.ts';
import { causeOf, Failure } from './failure.ts';

/** Includes the host name, because several machines may work in one folder and each knows only its own processes. */
const prefix = (): string => `.working-${hostname().replaceAll(/[^A-Za-z0-9]/g, '')}-`;

/**
 * Calls `use` with the absolute path of a temporary folder inside `parent`. The folder is removed afterwards, also at
 * the exit of the process; folders left by a killed process are removed by the next one.
 */
export async function withTemporaryFolder<Result>(
  parent: string,
  use: (folder: string) => Promise<Result>,
): Promise<Result> {
  await removeOrphans(parent);
  const folder = await mkdtemp(join(resolve(parent), `${prefix()}${pid}-`)).catch((error) => {
    throw new Failure(`cannot write into ${parent}: ${causeOf(error)}`);
  });
  const isDone = atExit(() => rmSync(folder, { recursive: true, force: true }));
  try {
    return await use(folder);
  } finally {
    isDone();
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * A folder in the system's temporary folder, removed with the process. If removing it fails, it is left to the system.
 */
export interface TemporaryFolder {
  readonly path: string;
  remove(): Promise<void>;
}

/**
 * Creates a temporary folder.
 * @param prefix of its name.
 * @throws {Failure} when it cannot be created, for example on a full disk.
 */
export async function makeTemporaryFolder(prefix: string): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), prefix)).catch((error) => {
    throw new Failure(`cannot write into ${tmpdir()}: ${causeOf(error)}`);
  });
  const isDone = atExit(() => {
    try {
      rmSync(path, { recursive: true, force: true });
    } catch {
      // Left to the system.
    }
  });
  return {
    path,
    async remove() {
      await rm(path, { recursive: true, force: true }).then(isDone, () => {});
    },
  };
}

async function removeOrphans(parent: string): Promise<void> {
  for (const name of await readdir(parent).catch(() => [])) {
    if (!name.startsWith(prefix())) continue;
    const owner = Number.parseInt(name.slice(prefix().length), 10);
    if (!isRunning(owner)) await rm(join(parent, name), { recursive: true, force: true });
  }
}

function isRunning(id: number): boolean {
  try {
    process.kill(id, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
