import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect } from 'vitest';
import { optional } from '../optional.ts';
import { compileCommand } from './compiled.ts';
import { run } from './dropframe-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'dropframe-lab-parallel-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const version = spawnSync('parallel', ['--version'], { encoding: 'utf8' }).stdout ?? '';
const withParallel = optional('GNU parallel', version.includes('GNU'));

/** Nine processes and their threads load it. */
const LAB = [compileCommand(), 'lab'];
const lab = (...args: readonly string[]) => run(process.execPath, [...LAB, ...args]);

const SCENARIO = join(folder, 'shared.json');
writeFileSync(
  SCENARIO,
  JSON.stringify({
    name: 'shared',
    question: 'Is it the same everywhere?',
    source: { synthetic: { kbps: 300, seconds: 3 } },
    link: { forward: ['loss=3% delay=20ms jitter=4ms', 'loss=3% burst=4 delay=20ms'] },
    strategies: ['nack', 'hybrid', 'tcp-cubic'],
    budgetsMs: [100],
  }),
);

const TABLES = ['summary.csv', 'summary.parquet', 'bursts.csv', 'frames.parquet', 'report.html'];

withParallel('computes the same answer from shards under GNU parallel and another locale as in one run', async () => {
  const [whole, shards] = [join(folder, 'whole'), join(folder, 'shards')];
  expect(await lab('run', SCENARIO, '--out', whole, '--frames', '--jobs', '2', '-q').ended).toBe(0);
  const sweep = ['sweep', SCENARIO, '--out', shards, '--frames', '--jobs', '1', '-q', '--shard', '{}/3'];
  const elsewhere = ['env', 'TZ=Asia/Kolkata', 'LANG=de_DE.UTF-8', 'LC_ALL=tr_TR.UTF-8'];
  const parallel = ['--will-cite', '--quote', '--jobs', '2', ...elsewhere, process.execPath, ...LAB, ...sweep];
  // A retry may run the same shard twice at the same time.
  const shared = run('parallel', [...parallel, ':::', '3', '1', '1', '2']);
  expect([await shared.ended, shared.output.stderr]).toEqual([0, '']);
  expect(await lab('merge', shards, '-q').ended).toBe(0);
  for (const name of TABLES) {
    expect(readFileSync(join(shards, name)).equals(readFileSync(join(whole, name))), name).toBe(true);
  }
});
