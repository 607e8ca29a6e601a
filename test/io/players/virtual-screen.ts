import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

export interface VirtualScreen {
  /** Value of DISPLAY. */
  readonly display: string;
  close(): void;
}

/**
 * Starts a virtual screen of 800 × 600 on an unused number. It never resets, which it would do whenever its last client leaves, and
 * refuse the next one meanwhile.
 */
export async function virtualScreen(): Promise<VirtualScreen> {
  const server: ChildProcess = spawn(
    'Xvfb',
    ['-displayfd', '3', '-screen', '0', '800x600x24', '-nolisten', 'tcp', '-noreset'],
    {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    },
  );
  const number = await new Promise<string>((resolve, reject) => {
    server.once('error', reject);
    server.once('exit', () => reject(new Error('Xvfb did not start')));
    server.stdio[3]?.once('data', (text: Buffer) => resolve(text.toString().trim()));
  });
  return { display: `:${number}`, close: () => void server.kill() };
}

/** A sample of the pixels on the screen: 0xAARRGGBB. */
export async function pixelsOn(display: string): Promise<readonly number[]> {
  const options = { maxBuffer: 16_000_000, encoding: 'buffer' } as const;
  const { stdout: dump } = await promisify(execFile)('xwd', ['-root', '-silent', '-display', display], options);
  const headerBytes = dump.readUInt32BE(0) + 12 * dump.readUInt32BE(76);
  const pixels: number[] = [];
  for (let at = headerBytes; at + 4 <= dump.length; at += 4 * 97) pixels.push(dump.readUInt32LE(at));
  return pixels;
}

/** True when a program of this name is on the PATH. */
export const onPath = (name: string): boolean =>
  (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
