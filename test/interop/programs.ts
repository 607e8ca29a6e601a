import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { existsSync, readFileSync } from 'node:fs';
import { onTestFinished } from 'vitest';

/** True when a program is installed. @param probe arguments with which it exits successfully. */
export function isInstalled(program: string, ...probe: string[]): boolean {
  try {
    execFileSync(program, probe.length > 0 ? probe : ['-version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

export const hasGStreamer = (...elements: string[]): boolean =>
  elements.every((element) => isInstalled('gst-inspect-1.0', '--exists', element));

export interface Program {
  readonly process: ChildProcess;
  /** Resolves with the exit code. */
  readonly ended: Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>;
}

/** Starts a program that is stopped at the end of the test at the latest. */
export function start(program: string, args: readonly string[]): Program {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (text: Buffer) => {
    output.stdout += text;
  });
  child.stderr.on('data', (text: Buffer) => {
    output.stderr += text;
  });
  const ended = new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, ...output }));
  });
  return { process: child, ended };
}

/** Returns a free port whose successor is free too, for RTP and RTCP. */
export async function freePortPair(): Promise<number> {
  for (;;) {
    const port = 20_000 + 2 * Math.floor(Math.random() * 15_000);
    if ((await isFree(port)) && (await isFree(port + 1))) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.once('error', () => resolve(false));
    socket.bind(port, '127.0.0.1', () => socket.close(() => resolve(true)));
  });
}

const TABLES = ['/proc/net/udp', '/proc/net/udp6'];
const BINDING_MS_MAX = 20_000;

/** Waits until a process has bound the UDP port. */
export async function untilBound(port: number): Promise<void> {
  const ending = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const isBound = (table: string) =>
    existsSync(table) &&
    readFileSync(table, 'utf8')
      .split('\n')
      .some((line) => line.trim().split(/\s+/)[1]?.endsWith(ending));
  const giveUpAt = Date.now() + BINDING_MS_MAX;
  while (Date.now() < giveUpAt) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    if (TABLES.some(isBound)) return;
  }
  throw new Error(`no program has bound UDP port ${port}`);
}
