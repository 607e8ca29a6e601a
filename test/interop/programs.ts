import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { expect, onTestFinished } from 'vitest';
import { PATIENCE } from '../patience.ts';

export { freePortPair } from '../../bench/interop/free-port-pair.ts';

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
  /** Text printed so far. */
  readonly output: { readonly stdout: string; readonly stderr: string };
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
  return { process: child, output, ended };
}

/** Lines of the kernel's tables of UDP sockets that are bound to this port, as words. */
function socketsAt(port: number): readonly (readonly string[])[] {
  const ending = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return ['/proc/net/udp', '/proc/net/udp6']
    .filter((table) => existsSync(table))
    .flatMap((table) => readFileSync(table, 'utf8').split('\n'))
    .map((line) => line.trim().split(/\s+/))
    .filter(([, address]) => address?.endsWith(ending));
}

/** Waits until a process has bound the UDP port. */
export async function untilBound(port: number): Promise<void> {
  await expect.poll(() => socketsAt(port).length, { ...PATIENCE, message: `UDP port ${port}` }).toBeGreaterThan(0);
}

/** Waits until every datagram that has arrived at the UDP port has been read. */
export async function untilRead(port: number): Promise<void> {
  const unread = () => socketsAt(port).map(([, , , , queues]) => Number.parseInt(queues!.split(':')[1]!, 16));
  await expect.poll(() => unread().every((bytes) => bytes === 0), PATIENCE).toBe(true);
}
