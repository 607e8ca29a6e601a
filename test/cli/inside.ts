import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { TUN_PATH } from '../../io/os/tun-device.ts';
import type { TunReport } from '../../session/tun/tun-message.ts';
import { temporaryFolder } from '../io/sources/media.ts';
import { optional } from '../optional.ts';
import { hasTun } from '../tun.ts';
import { compileCommand } from './compiled.ts';

export const ROOT = join(import.meta.dirname, '../..');
const START = compileCommand();
/** Returns Node's arguments for a command line of dropframe. */
export const dropframe = (...args: readonly string[]): string[] => [START, ...args];

/** A `test` that needs a TUN device in a network namespace; skipped and listed where there is none. */
export const withTun = optional(`koffi, ${TUN_PATH} and network namespaces`, await hasTun());

/** The same for a test that needs programs too. */
export function withTunAnd(...programs: readonly string[]): typeof withTun {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const absent = programs.find((program) => !folders.some((folder) => existsSync(join(folder, program))));
  return absent === undefined ? withTun : optional(absent, false);
}

export interface Inside {
  readonly child: ChildProcess;
  readonly folder: string;
  /** Output so far. */
  readonly output: { readonly stdout: string; readonly stderr: string };
  readonly ended: Promise<{
    readonly code: number | null;
    readonly stdout: string;
    readonly stderr: string;
    /** `undefined` when no report was written. */
    readonly report: TunReport | undefined;
  }>;
}

/** Starts a command on a virtual link; `$FOLDER` is a temporary folder of the test. */
export function inside(options: readonly string[], command: readonly string[]): Inside {
  const folder = temporaryFolder();
  const file = join(folder, 'report.json');
  const args = dropframe('link', '--tun', '--report', file, ...options, '--', ...command);
  const env = { ...process.env, FOLDER: folder };
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'], env });
  onTestFinished(() => void child.kill('SIGKILL'));
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (text) => {
    output.stdout += text;
  });
  child.stderr.on('data', (text) => {
    output.stderr += text;
  });
  const ended = once(child, 'close').then(([code]) => {
    const report = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
    return { code, ...output, report };
  });
  return { child, folder, output, ended };
}

/** Runs a Node script there until it exits. It may use `net`, `dgram`, `fs` and `FOLDER`. */
export const script = (options: readonly string[], text: string): Inside['ended'] => startScript(options, text).ended;

/** Starts such a script. */
export function startScript(options: readonly string[], text: string): Inside {
  const names = "const [net, dgram, fs] = ['net', 'dgram', 'fs'].map((name) => require(name));";
  return inside(options, [process.execPath, '-e', `${names} const { FOLDER } = process.env; ${text}`]);
}
