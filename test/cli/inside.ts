import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterAll, onTestFinished } from 'vitest';
import { tryNamespaces } from '../../io/os/network-namespace.ts';
import { assertTunCalls, TUN_PATH } from '../../io/os/tun-device.ts';
import type { TunReport } from '../../session/tun/tun-message.ts';
import { temporaryFolder } from '../io/sources/media.ts';
import { optional } from '../optional.ts';

export const ROOT = join(import.meta.dirname, '../..');
/**
 * The command as it is now, compiled for this run into a folder from which Node finds the packages: each start of it is
 * two processes and a thread, and uncompiled that takes seconds.
 */
function compile(): string {
  const folder = mkdtempSync(join(ROOT, 'node_modules', '.dropframe-test-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const compiler = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const options = ['-p', 'tsconfig.build.json', '--declaration', 'false', '--outDir', folder];
  execFileSync(process.execPath, [compiler, ...options], { cwd: ROOT });
  writeFileSync(join(folder, 'package.json'), '{ "type": "module", "version": "0" }');
  writeFileSync(
    join(folder, 'start.js'),
    "import { main } from './cli/main.js'; process.exit(await main(process.argv));",
  );
  return join(folder, 'start.js');
}

const START = compile();
/** Arguments for node. */
export const dropframe = (...args: readonly string[]): string[] => [START, ...args];

async function hasTun(): Promise<boolean> {
  try {
    assertTunCalls();
    accessSync(TUN_PATH, constants.R_OK | constants.W_OK);
  } catch {
    return false;
  }
  return 'arguments' in (await tryNamespaces());
}

/** A `test` for machines that let us make a TUN device in a network namespace. */
export const withTun = optional(`koffi, ${TUN_PATH} and network namespaces`, await hasTun());

/** The same, where a program is there too. */
export function withTunAnd(...programs: readonly string[]): typeof withTun {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const absent = programs.find((program) => !folders.some((folder) => existsSync(join(folder, program))));
  return absent === undefined ? withTun : optional(absent, false);
}

export interface Inside {
  readonly child: ChildProcess;
  readonly folder: string;
  readonly ended: Promise<{
    readonly code: number | null;
    readonly stdout: string;
    readonly stderr: string;
    /** `undefined`: there is none. */
    readonly report: TunReport | undefined;
  }>;
}

/** Starts a command on a virtual link; `$FOLDER` is a folder of the test's own. */
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
  return { child, folder, ended };
}

/** Runs a script for Node there, which may use `net`, `dgram`, `fs` and `FOLDER`, and ends by itself. */
export function script(options: readonly string[], text: string): Inside['ended'] {
  const names = "const [net, dgram, fs] = ['net', 'dgram', 'fs'].map((name) => require(name));";
  return inside(options, [process.execPath, '-e', `${names} const { FOLDER } = process.env; ${text}`]).ended;
}
