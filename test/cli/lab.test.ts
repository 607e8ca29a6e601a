import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { completeRun, openRun, sweepShard } from '../../lab/run.ts';
import { PATIENCE } from '../patience.ts';
import { lab, ROOT } from './dropframe-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'dropframe-lab-cli-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function scenario(name: string, changes: object): string {
  const path = join(folder, `${name}.json`);
  const whole = {
    name,
    question: 'What is it?',
    source: { synthetic: { kbps: 300, seconds: 2 } },
    link: { forward: 'loss=2% delay=20ms' },
    strategies: ['nack'],
    budgetsMs: [100],
    ...changes,
  };
  writeFileSync(path, JSON.stringify(whole));
  return path;
}

test('lists every ready-made scenario with its question', async () => {
  const { output, ended } = lab('list', '--json');
  expect(await ended).toBe(0);
  const names = (JSON.parse(output.stdout) as { name: string; question: string }[]).map(({ name }) => name);
  const files = readdirSync(join(ROOT, 'samples/scenarios')).map((file) => file.replace('.json', ''));
  expect(names).toEqual(files.sort());
});

test('stores the answer in the folder and prints it as a table and as JSON', async () => {
  const out = join(folder, 'out');
  const { output, ended } = lab('run', scenario('run', {}), '--out', out, '--json');
  expect(await ended).toBe(0);
  const answer = JSON.parse(output.stdout);
  expect(answer).toMatchObject({ kind: 'answer', directory: out, manifest: { files: { 'summary.csv': { rows: 1 } } } });
  expect(answer.rows[0]).toMatchObject({ strategy: 'nack', frames: 60 });
  expect(output.stderr).toMatch(/\nloss=2% delay=20ms, budget 100 ms, 1 seed\n +nack +[\d.]+ %/);
  expect(output.stderr).toMatch(/nack +\d+\.\d µs per datagram/);
});

test('accepts a ready-made trace in a link', async () => {
  const link = { forward: 'trace=lte-drive.down delay=20ms queue=500ms' };
  const { output, ended } = lab('run', scenario('drive', { link }), '--out', join(folder, 'drive'), '--json');
  expect(await ended).toBe(0);
  expect(JSON.parse(output.stdout).rows[0].forward).toMatch(/trace=lte-drive\.down#[0-9a-f]{16}/);
});

test('rejects --video for a shard', async () => {
  const { output, ended } = lab('sweep', 'frontier', '--shard', '1/2', '--video');
  expect(await ended).toBe(2);
  expect(output.stderr).toMatch(/^dropframe: unknown option '--video' \(see --help\)\n$/);
});

test('exits with 130 on Ctrl-C while plots are drawn, and says what exists', async () => {
  const out = join(folder, 'drawn');
  expect(await lab('run', scenario('drawn', {}), '--out', out, '-q').ended).toBe(0);
  rmSync(join(out, 'report.html'));
  const { child, output, ended } = lab('report', out);
  // The table is printed before the first plot is drawn.
  child.stderr.once('data', () => child.kill('SIGINT'));
  expect(await ended).toBe(130);
  expect(output.stderr).toMatch(/\ndropframe: interrupted: the answer is in .*, without report\.html\n$/);
  expect(readdirSync(out)).not.toContain('report.html');
});

test('reports a mistake in one line with exit code 2', async () => {
  const file = scenario('mistake', { link: { forward: ['loss=2%', 'los=2%'] } });
  const { output, ended } = lab('run', file, '--out', join(folder, 'never'));
  expect(await ended).toBe(2);
  expect(output.stderr).toMatch(/^dropframe: mistake\.json: link\.forward\[1\]: 'los=2%': unknown.*\n$/);
  expect(existsSync(join(folder, 'never'))).toBe(false);
});

test('stops a run on Ctrl-C with 130, keeps finished cells and says how to continue', async () => {
  const out = join(folder, 'interrupted');
  const source = { synthetic: { kbps: 4_000, seconds: 600 } };
  const file = scenario('long', { source, strategies: ['none', 'nack', 'fec'], repeats: 20 });
  const { child, output, ended } = lab('run', file, '--out', out, '--jobs', '1');
  await vi.waitFor(() => expect(existsSync(join(out, 'run.json'))).toBe(true), PATIENCE);
  child.kill('SIGINT');
  expect(await ended).toBe(130);
  expect(output.stderr).toMatch(
    /interrupted: \d+ of 60 cells are finished and stored in .*; run the same command again/,
  );
  expect(JSON.parse(readFileSync(join(out, 'run.json'), 'utf8')).cells).toHaveLength(60);
  expect(readdirSync(join(out, 'cells')).filter((name) => name.includes('tmp'))).toEqual([]);
});

test('has the same bytes in every table and in the manifest after a SIGKILL in the middle of the run', async () => {
  const source = { synthetic: { kbps: 2_000, seconds: 20 } };
  const file = scenario('killed', { source, strategies: ['none', 'nack', 'hybrid'], repeats: 4 });
  const [killed, whole] = [join(folder, 'killed'), join(folder, 'whole')];
  const cellsIn = (out: string) => {
    const cells = join(out, 'cells');
    return existsSync(cells) ? readdirSync(cells).filter((name) => name.endsWith('.json')).length : 0;
  };
  const { child, ended } = lab('run', file, '--out', killed, '--jobs', '1', '-q');
  await vi.waitFor(() => expect(cellsIn(killed)).toBeGreaterThan(0), PATIENCE);
  child.kill('SIGKILL');
  await ended;
  const finished = cellsIn(killed);
  expect(finished).toBeLessThan(12);
  const [resumed, expected] = await Promise.all(
    [killed, whole].map(async (out) => {
      const opened = await openRun(file, { out, output: {}, strategies: undefined, warn: () => {} });
      const shard = { index: 1, of: 1 };
      const { signal } = new AbortController();
      const { reused } = await sweepShard(opened, { shard, jobs: 0, fresh: false, signal, onProgress: () => {} });
      expect(reused).toBe(out === killed ? finished : 0);
      await completeRun(opened, 'test');
      // The costs and the cells, which have theirs, hold computing times.
      const names = readdirSync(out).filter((name) => name !== 'cells' && name !== 'shards' && name !== 'cost.json');
      return names.sort().map((name) => [name, readFileSync(join(out, name), 'utf8')]);
    }),
  );
  expect(expected!.map(([name]) => name)).toContain('manifest.json');
  expect(resumed).toEqual(expected);
});
