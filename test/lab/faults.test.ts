import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join, relative } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { withTemporaryFolder } from '../../io/os/temporary-folder.ts';
import { readAnswer } from '../../lab/answer.ts';
import { streamInput } from '../../lab/quality/compare-streams.ts';
import type { PictureFormat } from '../../lab/quality/slot-stream.ts';
import { completeRun, mergeRun, openRun, sweepShard } from '../../lab/run.ts';
import type { ScenarioOutput } from '../../lab/scenario.ts';
import { makeDirectory, writeAtomically } from '../../lab/store/atomic-file.ts';
import { bytesNeeded, checkRoom } from '../../lab/store/disk-room.ts';
import { readSealedJson, sealedJson } from '../../lab/store/sealed-json.ts';
import { ticks } from '../../protocol/base/units.ts';

const root = mkdtempSync(join(tmpdir(), 'dropframe-faults-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const CELLS = 4;
const FILE = join(root, 'small.json');
writeFileSync(
  FILE,
  JSON.stringify({
    name: 'small',
    question: 'What is kept?',
    source: { synthetic: { kbps: 300, seconds: 2, keyInterval: 10 } },
    link: { forward: 'loss=3% delay=20ms' },
    strategies: ['none', 'nack'],
    budgetsMs: [80, 160],
  }),
);

let folders = 0;
const newFolder = () => join(root, `out-${folders++}`);
const ONLY = { shard: { index: 1, of: 1 }, jobs: 0, fresh: false, signal: new AbortController().signal };

/** Runs the unfinished cells. @returns the number of reused cells. */
async function run(out: string, output: Partial<ScenarioOutput> = {}, shard = ONLY.shard) {
  const opened = await openRun(FILE, { out, output, strategies: undefined, warn: () => {} });
  const { reused } = await sweepShard(opened, { ...ONLY, shard, onProgress: () => {} });
  return { reused, complete: async () => (await completeRun(opened, 'test')).manifest.files };
}

const filesOf = (out: string, ending: RegExp) => readdirSync(join(out, 'cells')).filter((name) => ending.test(name));
const CELL = /^[0-9a-f]{64}\.json$/;

/** Flips one bit of the first matching file of a cell. */
function damage(out: string, ending: RegExp, at: (content: Buffer) => number): string {
  const path = join(out, 'cells', filesOf(out, ending)[0]!);
  const content = readFileSync(path);
  content[at(content)]! ^= 1;
  writeFileSync(path, content);
  return path;
}
const inTheMiddle = ({ length }: Buffer) => length >> 1;

describe('finished cells', () => {
  test('are reported by merge when altered, and run again by the same command', async () => {
    const out = newFolder();
    const expected = await (await run(out)).complete();
    damage(out, CELL, (content) => content.indexOf('"framesInTime":') + '"framesInTime":'.length);
    await expect(mergeRun(out, [], 'test')).rejects.toThrow(/1 are damaged .*run the same command again to add them/);
    const again = await run(out);
    expect(again.reused).toBe(CELLS - 1);
    expect(await again.complete()).toEqual(expected);
  });

  test('are reported by merge when their frames are altered, and run again by the same command', async () => {
    const out = newFolder();
    const expected = await (await run(out, { frames: true })).complete();
    const path = damage(out, /\.frames\.parquet$/, inTheMiddle);
    await expect(mergeRun(out, [], 'test')).rejects.toThrow(`${path} is damaged`);
    const again = await run(out, { frames: true });
    expect(again.reused).toBe(CELLS - 1);
    expect(await again.complete()).toEqual(expected);
  });

  test('ignore attachments of another run', async () => {
    const out = newFolder();
    const expected = await (await run(out, { frames: true })).complete();
    const [frames, other] = filesOf(out, /\.frames\.parquet$/).map((name) => join(out, 'cells', name));
    writeFileSync(frames!, readFileSync(other!));
    expect((await run(out)).reused).toBe(CELLS);
    const again = await run(out, { frames: true });
    expect(again.reused).toBe(CELLS - 1);
    expect(await again.complete()).toEqual(expected);
  });

  test('keep their frames when run again for packets', async () => {
    const out = newFolder();
    await run(out, { frames: true });
    expect((await run(out, { packets: true })).reused).toBe(0);
    expect((await run(out, { frames: true, packets: true })).reused).toBe(CELLS);
  });

  test('are imported from a folder where they are intact, not from one where they are damaged', async () => {
    const [one, other] = [newFolder(), newFolder()];
    const expected = await (await run(one, { frames: true })).complete();
    await run(other, { frames: true });
    damage(one, CELL, inTheMiddle);
    expect((await mergeRun(one, [other], 'test')).manifest.files).toEqual(expected);
    damage(other, CELL, inTheMiddle);
    expect((await mergeRun(one, [other], 'test')).adopted).toBe(0);
    const empty = newFolder();
    await run(empty, { frames: true }, { index: 5, of: 5 });
    await expect(mergeRun(empty, [other], 'test')).rejects.toThrow(/: 1 of 4 cells are missing/);
  });

  test('of another version are refused before they are imported', async () => {
    const [one, other] = [newFolder(), newFolder()];
    await run(one, {}, { index: 1, of: 2 });
    await run(other, {}, { index: 2, of: 2 });
    for (const name of filesOf(other, CELL)) {
      const path = join(other, 'cells', name);
      const { sha256: _, ...cell } = JSON.parse(readFileSync(path, 'utf8'));
      writeFileSync(path, sealedJson({ ...cell, code: 'older' }));
    }
    const before = readdirSync(join(one, 'cells'));
    await expect(mergeRun(one, [other], 'test')).rejects.toThrow(
      `${other} has cells of another version of dropframe; compute them again with one version`,
    );
    expect(readdirSync(join(one, 'cells'))).toEqual(before);
  });
});

describe('answers', () => {
  test('have no leftover tables of an earlier run', async () => {
    const out = newFolder();
    await (await run(out, { frames: true, packets: true })).complete();
    await (await run(out)).complete();
    expect(readdirSync(out).filter((name) => name.endsWith('.parquet'))).toEqual(['summary.parquet']);
  });

  test('are rejected when a table does not match the manifest', async () => {
    const [one, other] = [newFolder(), newFolder()];
    await (await run(one)).complete();
    await (await run(other, { frames: true })).complete();
    const table = readFileSync(join(one, 'summary.parquet'));
    table[100]! ^= 1;
    writeFileSync(join(one, 'summary.parquet'), table);
    await expect(readAnswer(one)).rejects.toThrow(/is damaged \(summary\.parquet does not .*\); merge it again/);
    await mergeRun(one, [], 'test');
    expect((await readAnswer(one)).rows).toEqual((await readAnswer(other)).rows);
    for (const name of ['summary.csv', 'bursts.csv', 'frames.parquet']) {
      writeFileSync(join(other, name), 'x', { flag: 'a' });
      await expect(readAnswer(other)).rejects.toThrow(`is damaged (${name} does not match`);
      rmSync(join(other, name));
      await readAnswer(other);
    }
  });
});

describe('folders', () => {
  test.each([
    ['no object', 'null'],
    ['without cells', '{"runId":"x"}'],
    ['half', '{"runId":"'],
  ])('with a run.json that is %s are reported as damaged, and the same command repairs them', async (_, text) => {
    const out = newFolder();
    await run(out);
    writeFileSync(join(out, 'run.json'), text);
    await expect(mergeRun(out, [], 'test')).rejects.toThrow(/run\.json is damaged; run the scenario again/);
    expect((await run(out)).reused).toBe(CELLS);
    await mergeRun(out, [], 'test');
  });

  test('with an incomplete manifest.json are reported as damaged', async () => {
    const out = newFolder();
    await (await run(out)).complete();
    for (const text of ['null', '{}', '{"files":{}}', '{']) {
      writeFileSync(join(out, 'manifest.json'), text);
      await expect(readAnswer(out)).rejects.toThrow(/^the answer in .* is damaged \(.*\); merge it again$/);
    }
  });

  test('need no more space for existing cells', async () => {
    const out = newFolder();
    const output = { frames: true, packets: true, qlog: true, pcapng: true, quality: false, video: false };
    const { grid, store } = await openRun(FILE, { out, output, strategies: undefined, warn: () => {} });
    const needed = () => bytesNeeded(grid.cells, { output, firstSeed: 1 }, store);
    const before = await needed();
    await run(out, output);
    const onDisk = readdirSync(store.directory).reduce(
      (sum, name) => sum + statSync(join(store.directory, name)).size,
      0,
    );
    expect(before).toBeGreaterThan(onDisk);
    expect(await needed()).toBeLessThan(before - onDisk);
  });

  test('are not started on a disk with too little space, with both sizes in the message', async () => {
    await expect(checkRoom(root, 1e15)).rejects.toThrow(/may need 1000000 GB, but .* has [\d.]+ [kMG]B free/);
    await checkRoom(root, 1_000);
  });
});

describe('files', () => {
  test.runIf(existsSync('/proc/self'))('in a folder that a file system refuses end with one line', async () => {
    await expect(makeDirectory('/proc/dropframe/out')).rejects.toThrow(
      /^cannot make the directory \/proc\/dropframe\/out: /,
    );
    const deep = join(newFolder(), 'a', 'b');
    await Promise.all([makeDirectory(deep), makeDirectory(deep), makeDirectory(join(deep, 'c'))]);
    expect(readdirSync(deep)).toEqual(['c']);
    writeFileSync(join(deep, 'file'), '');
    await expect(makeDirectory(join(deep, 'file'))).rejects.toThrow('a file with this name exists');
  });

  test('written concurrently are complete, without leftovers', async () => {
    const out = newFolder();
    await makeDirectory(out);
    const warnings: Error[] = [];
    const warn = (warning: Error) => warnings.push(warning);
    process.on('warning', warn);
    await Promise.all(Array.from({ length: 20 }, () => writeAtomically(join(out, 'file'), 'x'.repeat(1_000_000))));
    await new Promise(setImmediate);
    process.off('warning', warn);
    expect(warnings).toEqual([]);
    expect(readdirSync(out)).toEqual(['file']);
    expect(readFileSync(join(out, 'file'), 'utf8')).toBe('x'.repeat(1_000_000));
  });

  test('in place of a directory are named in the error', async () => {
    await expect(makeDirectory(FILE)).rejects.toThrow(/cannot make the directory .*: a file with this name exists$/);
  });

  test('sealed as JSON are read back, and any change is detected', () => {
    const value = { id: 'a', delay: Number.POSITIVE_INFINITY, list: [1.5, null] };
    const text = sealedJson(value);
    expect(readSealedJson(text)).toEqual(value);
    for (let at = 0; at < text.length; at++) {
      const changed = text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ 1) + text.slice(at + 1);
      expect(readSealedJson(changed)).toBeUndefined();
      expect(readSealedJson(text.slice(0, at))).toBeUndefined();
    }
  });
});

test('a temporary folder has an absolute path, for programs with another working directory', async () => {
  const names = await withTemporaryFolder(relative('.', root), async (folder) => [folder]);
  expect(names.every(isAbsolute)).toBe(true);
});

test('a failed write of a stream for ffmpeg is reported with its cause', async () => {
  const shown = { plan: { onScreen: Int32Array.of(0) }, stream: { file: new Uint8Array(10), origin: ticks(0) } };
  const writing = streamInput(shown, { width: 16, height: 16 } as PictureFormat, join(root, 'nowhere', 'shown.mp4'));
  await expect(writing).rejects.toThrow(/^cannot write .*shown\.mp4: there is no such file or directory; finished/);
});
