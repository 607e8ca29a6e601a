import { execFileSync } from 'node:child_process';
import { optional } from '../optional.ts';
import { isInstalled } from './programs.ts';

export const withTshark = optional('tshark', isInstalled('tshark'));

/** Returns one line per packet that the filter accepts, with the values of these fields. */
export function dissect(capture: string, filter: string, fields: readonly string[], ...options: string[]): string[][] {
  const columns = fields.flatMap((field) => ['-e', field]);
  const args = ['-r', capture, ...options, '-Y', filter, '-T', 'fields', '-E', 'separator=|', ...columns];
  const lines = execFileSync('tshark', args, { stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 64 * 1024 * 1024 });
  return lines
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('|'));
}
