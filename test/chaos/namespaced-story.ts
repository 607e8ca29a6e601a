import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { namespaceArguments } from '../../io/os/network-namespace.ts';
import { ROOT } from './stage.ts';

/** Ends a story that hangs, milliseconds. It takes seconds, and minutes on a machine with ten times the work it can do. */
export const STORY_MS = 300_000;

/** Tells a story of a script in namespaces of its own, in which it is the first process. @returns what it prints. */
export async function tell<Told>(script: string, ...args: readonly string[]): Promise<Told> {
  const path = join(import.meta.dirname, script);
  const words = [...(await namespaceArguments()), '--', process.execPath, '--import', 'tsx', path, ...args];
  const { stdout } = await promisify(execFile)('unshare', words, { cwd: ROOT });
  return JSON.parse(stdout) as Told;
}
