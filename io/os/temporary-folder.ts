import { rmSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pid } from 'node:process';
import { atExit } from './at-exit.ts';
import { causeOf, Failure } from './failure.ts';

/** Several machines may work in one folder: each knows its own processes only. */
const prefix = (): string => `.working-${hostname().replaceAll(/[^A-Za-z0-9]/g, '')}-`;

/**
 * A folder, by its absolute path, for as long as `use` takes, within another. It goes away with the process as well,
 * however that ends; what a process that was killed left behind goes away when the next one works there.
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
 * A folder of our own among the system's temporary ones; it goes away with the process, if nobody removed it before.
 * Where that is not possible it stays: the system clears it away one day, and nothing else fails for it.
 */
export interface TemporaryFolder {
  readonly path: string;
  remove(): Promise<void>;
}

/** @param prefix of the folder's name. @throws {Failure} where none can be made: a full disk, say. */
export async function makeTemporaryFolder(prefix: string): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), prefix)).catch((error) => {
    throw new Failure(`cannot write into ${tmpdir()}: ${causeOf(error)}`);
  });
  const isDone = atExit(() => {
    try {
      rmSync(path, { recursive: true, force: true });
    } catch {
      // It stays.
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
