import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

export const ROOT = join(import.meta.dirname, '../..');
const START = "const { main } = await import('./cli/main.ts'); process.exit(await main(process.argv));";

/** Arguments that make Node run the uncompiled `dropframe` in the root of the checkout. */
const DROPFRAME = ['--import', 'tsx', '--input-type=module', '--eval', START, '--', 'dropframe'];
export const LAB = [...DROPFRAME, 'lab'];

/** Starts a program in the root of the checkout; it is killed when the test ends. */
export function run(program: string, args: readonly string[]) {
  const child = spawn(program, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (bytes) => {
    output.stdout += bytes;
  });
  child.stderr.on('data', (bytes) => {
    output.stderr += bytes;
  });
  return { child, output, ended: once(child, 'close').then(([code]) => code as number) };
}

export const dropframe = (...args: readonly string[]) => run(process.execPath, [...DROPFRAME, ...args]);
export const lab = (...args: readonly string[]) => run(process.execPath, [...LAB, ...args]);
