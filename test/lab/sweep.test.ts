import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readAnswer } from '../../lab/answer.ts';
import { completeRun, mergeRun, openRun, sweepShard } from '../../lab/run.ts';
import type { SweepProgress } from '../../lab/sweep.ts';

const root = mkdtempSync(join(tmpdir(), 'dropframe-lab-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const SCENARIO = {
  name: 'small',
  question: 'Is it the same everywhere?',
  source: { synthetic: { kbps: 500, seconds: 2, keyInterval: 10 } },
  link: { forward: ['loss=3% delay=20ms', 'loss=3% burst=4 delay=20ms'] },
  strategies: ['none', 'nack', 'hybrid'],
  budgetsMs: [80, 160],
  repeats: 1,
};
const CELLS = 12;

function write(name: string, scenario: object = SCENARIO): string {
  const path = join(root, `${name}.json`);
  writeFileSync(path, JSON.stringify(scenario));
  return path;
}
const FILE = write('small');

let folders = 0;
const newFolder = () => join(root, `out-${folders++}`);
const noOptions = { strategies: undefined, output: {}, warn: () => {} };
const open = (out: string, output = {}) => openRun(FILE, { ...noOptions, out, output });

interface SweepChanges {
  readonly shard?: { readonly index: number; readonly of: number };
  readonly jobs?: number;
  readonly fresh?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: SweepProgress) => void;
}
const sweep = async (out: string, changes: SweepChanges = {}) =>
  sweepShard(await open(out), {
    shard: { index: 1, of: 1 },
    jobs: 0,
    fresh: false,
    signal: new AbortController().signal,
    onProgress: () => {},
    ...changes,
  });
const hashes = async (out: string) => {
  const { manifest } = await mergeRun(out, [], 'test');
  return manifest.files;
};
const cellFiles = (out: string) => readdirSync(join(out, 'cells')).filter((name) => name.endsWith('.json'));

describe('an answer', () => {
  test('is identical for any number of threads, and for any shards in any order', async () => {
    const [alone, threads, shards] = [newFolder(), newFolder(), newFolder()];
    await sweep(alone);
    await sweep(threads, { jobs: 2 });
    for (const index of [3, 1, 2, 3]) await sweep(shards, { shard: { index, of: 3 } });
    const expected = await hashes(alone);
    expect(expected['summary.csv']?.rows).toBe(CELLS);
    expect(await hashes(threads)).toEqual(expected);
    expect(await hashes(shards)).toEqual(expected);
  }, 120_000);

  test('has the hashes of the manifest, and is read back unchanged', async () => {
    const out = newFolder();
    await sweep(out);
    const { manifest, rows } = await mergeRun(out, [], 'test');
    for (const [name, { sha256 }] of Object.entries(manifest.files)) {
      expect(
        createHash('sha256')
          .update(readFileSync(join(out, name)))
          .digest('hex'),
      ).toBe(sha256);
    }
    const answer = await readAnswer(out);
    expect(answer.rows).toEqual(rows);
    expect(rows.some(({ delayUsP99 }) => delayUsP99 === Number.POSITIVE_INFINITY)).toBe(true);
    expect(rows.some(({ recoveryUsP50Repair }) => recoveryUsP50Repair === null)).toBe(true);
    expect(answer.manifest).toEqual(manifest);
    expect(readFileSync(join(out, 'summary.csv'), 'utf8').split('\n')[0]).toMatch(/^cell,strategy,parameters,source/);
    expect(readdirSync(out).filter((name) => name.includes('tmp'))).toEqual([]);
  });

  test('reports missing and damaged cells, and unfinished shards', async () => {
    const out = newFolder();
    await sweep(out, { shard: { index: 1, of: 2 } });
    await expect(mergeRun(out, [], 'test')).rejects.toThrow(/6 of 12 cells are missing.*not finished: shard 2\/2/);
    await sweep(out, { shard: { index: 2, of: 2 } });
    const victim = join(out, 'cells', cellFiles(out)[5]!);
    writeFileSync(victim, readFileSync(victim, 'utf8').slice(0, 200));
    await expect(mergeRun(out, [], 'test')).rejects.toThrow(/1 are damaged \([0-9a-f]{8}\)/);
    const { reused } = await sweep(out);
    expect(reused).toBe(CELLS - 1);
    expect((await hashes(out))['summary.csv']?.rows).toBe(CELLS);
  });

  test('is merged from overlapping folders of several machines', async () => {
    const [one, other] = [newFolder(), newFolder()];
    await sweep(one, { shard: { index: 1, of: 2 } });
    await sweep(other, { shard: { index: 2, of: 2 } });
    await sweep(other, { shard: { index: 1, of: 4 } });
    const { adopted, rows } = await mergeRun(one, [other], 'test');
    expect(adopted).toBeGreaterThanOrEqual(CELLS / 2);
    expect(rows).toHaveLength(CELLS);
  });

  test('with frames has one row per frame and cell', async () => {
    const out = newFolder();
    const opened = await openRun(FILE, {
      ...noOptions,
      out,
      output: { frames: true, packets: true },
      strategies: ['nack'],
    });
    const options = { shard: { index: 1, of: 1 }, jobs: 0, fresh: false, signal: new AbortController().signal };
    await sweepShard(opened, { ...options, onProgress: () => {} });
    const { manifest } = await completeRun(opened, 'test');
    expect(manifest.files['frames.parquet']?.rows).toBe(4 * 60);
    expect(manifest.files['packets.parquet']?.rows).toBeGreaterThan(4 * 60);
    const { frames, rows } = await readAnswer(out);
    const records = await frames(rows[0]!.cell);
    expect(records).toHaveLength(60);
    expect(records?.[0]).toMatchObject({ frame: 0, type: 'key', capturedAt: 1_000, sentAt: 1_000 });
    const inTime = records!.filter(
      ({ decodableAt, capturedAt }) => decodableAt !== null && decodableAt - capturedAt <= 80_000,
    );
    expect(inTime).toHaveLength(rows[0]!.framesInTime);
  });
});

describe('a sweep', () => {
  test('continues where it was interrupted', async () => {
    const out = newFolder();
    const abort = new AbortController();
    const onProgress = ({ done }: SweepProgress) => {
      if (done === 7) abort.abort();
    };
    const ended = await sweep(out, { signal: abort.signal, onProgress });
    expect(ended.done).toBe(7);
    await expect(mergeRun(out, [], 'test')).rejects.toThrow(/5 of 12 cells are missing/);
    const { reused, done } = await sweep(out);
    expect([reused, done]).toEqual([7, CELLS]);
  });

  test('keeps finished cells when interrupted on threads, without partial files', async () => {
    const out = newFolder();
    const abort = new AbortController();
    const onProgress = ({ done }: SweepProgress) => {
      if (done >= 3) abort.abort();
    };
    const ended = await sweep(out, { jobs: 2, signal: abort.signal, onProgress });
    expect(ended.done).toBeLessThan(CELLS);
    expect(cellFiles(out)).toHaveLength(ended.done);
    expect((await sweep(out)).reused).toBe(ended.done);
  });

  test('repeats cells of other code, and all cells on request', async () => {
    const out = newFolder();
    await sweep(out, { shard: { index: 1, of: 2 } });
    const stale = join(out, 'cells', cellFiles(out)[0]!);
    writeFileSync(stale, readFileSync(stale, 'utf8').replace(/"code":"[0-9a-f]+"/, '"code":"0123"'));
    expect((await sweep(out, { shard: { index: 1, of: 2 } })).reused).toBe(5);
    expect((await sweep(out, { shard: { index: 1, of: 2 }, fresh: true })).reused).toBe(0);
  });

  test('does not reuse cells without requested frames', async () => {
    const out = newFolder();
    await sweep(out);
    const opened = await open(out, { frames: true });
    const options = { shard: { index: 1, of: 1 }, jobs: 0, fresh: false, signal: new AbortController().signal };
    const { reused } = await sweepShard(opened, { ...options, onProgress: () => {} });
    expect(reused).toBe(0);
  });

  test('does not write into the folder of another run', async () => {
    const out = newFolder();
    await sweep(out);
    const other = write('other', { ...SCENARIO, name: 'other' });
    await expect(openRun(other, { ...noOptions, out })).rejects.toThrow(
      /holds a different run .* choose another --out/,
    );
    expect((await hashes(out))['summary.csv']?.rows).toBe(CELLS);
  });

  test('is rejected when the disk is too small', async () => {
    const source = { synthetic: { kbps: 1_000_000, seconds: 86_400, fps: 240 } };
    const huge = write('huge', { ...SCENARIO, source, repeats: 1_000, output: { packets: true } });
    await expect(openRun(huge, { ...noOptions, out: newFolder() })).rejects.toThrow(/may need \d+ GB, but .* free/);
  });

  test('is rejected for a missing file, with its place in the scenario', async () => {
    const file = write('absent', { ...SCENARIO, source: [{ file: 'nowhere.mp4' }] });
    const opening = openRun(file, { ...noOptions, out: newFolder() });
    await expect(opening).rejects.toThrow(
      /^\w+\.json: source\[0\]\.file: cannot read nowhere\.mp4: there is no such file/,
    );
  });
});
