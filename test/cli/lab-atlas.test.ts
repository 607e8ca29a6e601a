import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { PATIENCE } from '../patience.ts';
import { lab } from './dropframe-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'dropframe-lab-atlas-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each([
  { name: 'begun', options: [], again: 'run the same command again to continue' },
  { name: 'renewed', options: ['--fresh'], again: 'run the same command again without --fresh to continue' },
])('stops on Ctrl-C with 130 and says how to continue an atlas: $name', async ({ name, options, again }) => {
  const out = join(folder, name);
  const cheap = ['kbps=300', 'seconds=6', '--strategies', 'nack,hybrid'];
  const { child, output, ended } = lab(
    'atlas',
    ...cheap,
    '--cells',
    '1000000',
    '--out',
    out,
    '--jobs',
    '1',
    ...options,
  );
  await vi.waitFor(() => expect(existsSync(join(out, 'points.jsonl'))).toBe(true), PATIENCE);
  child.kill('SIGINT');
  expect(await ended).toBe(130);
  expect(output.stderr).toMatch(/interrupted: \d+ points are kept in /);
  expect(output.stderr.trimEnd().endsWith(again), output.stderr).toBe(true);
});
