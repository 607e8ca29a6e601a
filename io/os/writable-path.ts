import { closeSync, constants, openSync, statSync } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { causeOf, Failure } from './failure.ts';

/**
 * Call before a file is opened for writing: opening a named pipe that nobody reads blocks a thread, and with it the end of the
 * process.
 * @throws {Failure} for such a pipe.
 */
export function requireReader(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isFIFO() !== true) return;
  try {
    closeSync(openSync(path, constants.O_WRONLY | constants.O_NONBLOCK));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENXIO') throw error;
    throw new Failure(`cannot write ${path}: nobody reads this pipe; start its reader first`);
  }
}

/** Fails early if the file cannot be written; leaves no file behind. */
export async function checkWritable(path: string): Promise<void> {
  try {
    await access(dirname(path), constants.W_OK);
    const present = await stat(path).catch(() => undefined);
    if (present?.isDirectory()) throw new Failure(`cannot write ${path}: it is a directory`);
    if (present) await access(path, constants.W_OK);
    requireReader(path);
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure(`cannot write ${path}: ${causeOf(error)}`);
  }
}
