import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { readAnswer } from '../../../lab/answer.ts';
import type { FrameQuality } from '../../../lab/quality/quality-figures.ts';
import { makeVideo, mergeRun, openRun, sweepShard } from '../../../lab/run.ts';
import { parseParquet } from '../../../lab/store/parquet.ts';
import type { FrameRecord } from '../../../lab/tables.ts';
import { SAMPLES, withFfmpeg } from '../../io/sources/media.ts';
import { SAMPLE } from '../../sample-units.ts';

const root = mkdtempSync(join(tmpdir(), 'dropframe-quality-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const noOptions = { strategies: undefined, warn: () => {} };

function scenario(name: string, changes: object): string {
  const path = join(root, `${name}.json`);
  const whole = {
    name,
    question: 'What does it look like?',
    source: { file: SAMPLE, seconds: 2 },
    link: { forward: 'delay=20ms' },
    strategies: ['none'],
    budgetsMs: [100],
    ...changes,
  };
  writeFileSync(path, JSON.stringify(whole));
  return path;
}

async function answer(file: string, out: string, output = {}) {
  const opened = await openRun(file, { ...noOptions, out, output: { quality: true, ...output } });
  const compared = vi.fn();
  const options = { shard: { index: 1, of: 1 }, jobs: 0, fresh: false, signal: new AbortController().signal };
  await sweepShard(opened, { ...options, onProgress: () => {}, onQualityProgress: compared });
  return { opened, compared, ...(await mergeRun(out, [], 'test')) };
}

describe('quality measurement', () => {
  withFfmpeg(
    'finds identical pictures on a clean path, with and without B-frames',
    async () => {
      const source = [
        { file: SAMPLE, seconds: 2 },
        { file: join(SAMPLES, 'counter.mp4'), seconds: 2 },
      ];
      const file = scenario('clean', { source, strategies: ['none', 'tcp-reno'] });
      const { rows } = await answer(file, join(root, 'clean'));
      expect(rows.map(({ slots, slotsIdentical }) => [slots, slotsIdentical])).toEqual(rows.map(() => [60, 60]));
      expect(rows.map(({ psnrDb, ssimP1 }) => [psnrDb, ssimP1])).toEqual(rows.map(() => [Number.POSITIVE_INFINITY, 1]));
      expect(rows).toHaveLength(4);
    },
    120_000,
  );

  withFfmpeg(
    'repeats pictures for frames not rendered, in agreement with the tables',
    async () => {
      const out = join(root, 'loss');
      const file = scenario('loss', { link: { forward: 'loss=2% delay=20ms' }, source: { file: SAMPLE, seconds: 3 } });
      const { rows, manifest } = await answer(file, out, { frames: true });
      const frames = await parseParquet<FrameRecord & FrameQuality>(readFileSync(join(out, 'frames.parquet')));
      const missing = frames.filter(({ renderedAt }) => renderedAt === null).map(({ frame }) => frame);
      expect(missing.length).toBeGreaterThan(5);
      const differing = frames.filter(({ psnrDb }) => psnrDb !== Number.POSITIVE_INFINITY).map(({ frame }) => frame);
      expect(differing).toEqual(missing);
      expect(frames.filter(({ shownFrame, frame }) => shownFrame !== frame).map(({ frame }) => frame)).toEqual(missing);
      expect(rows[0]).toMatchObject({ slots: 90, slotsRepeated: missing.length, slotsIdentical: 90 - missing.length });
      expect(manifest.env.ffmpeg).toMatch(/\d/);
      expect((await readAnswer(out)).rows).toEqual(rows);
      expect(readFileSync(join(out, 'summary.csv'), 'utf8').split('\n')[0]).toMatch(/,psnrDb,.*,ssimMean,.*,vmafMean/);
    },
    120_000,
  );

  withFfmpeg(
    'runs once unless the file is damaged, and adds columns only on request',
    async () => {
      const [file, out] = [scenario('again', {}), join(root, 'again')];
      await answer(file, out);
      expect((await answer(file, out)).compared.mock.calls).toEqual([[{ cells: 1, done: 1 }]]);
      const name = readdirSync(join(out, 'cells')).find((entry) => entry.endsWith('quality.json'))!;
      writeFileSync(join(out, 'cells', name), '{"cell":');
      await expect(mergeRun(out, [], 'test')).rejects.toThrow(/1 have no quality measurement .*the same command again/);
      expect((await answer(file, out)).compared.mock.calls).toHaveLength(2);
      expect((await answer(file, out, { quality: false })).rows[0]).not.toHaveProperty('psnrDb');
      expect(readdirSync(join(out, 'cells')).filter((entry) => entry.startsWith('.'))).toEqual([]);
    },
    120_000,
  );

  withFfmpeg('has no figures for a synthetic source', async () => {
    const source = [{ synthetic: { kbps: 300, seconds: 2 } }, { file: SAMPLE, seconds: 2 }];
    const { rows } = await answer(scenario('mixed', { source }), join(root, 'mixed'));
    expect(rows.map(({ slots, psnrDb }) => [slots, psnrDb])).toEqual([
      [null, null],
      [60, Number.POSITIVE_INFINITY],
    ]);
  });

  withFfmpeg('writes a side-by-side video of the strategies of a link', async () => {
    const out = join(root, 'video');
    const strategies = ['none', { strategy: 'none', onLoss: 'smear' }, 'nack'];
    const file = scenario('video', { strategies, source: { file: SAMPLE, seconds: 1 } });
    const { opened } = await answer(file, out, { video: true });
    const { path, labels } = await makeVideo(opened, new AbortController().signal);
    expect(labels).toEqual(['none', 'none onLoss=smear', 'nack']);
    expect(statSync(path).size).toBeGreaterThan(10_000);
    expect(readdirSync(join(out, 'cells')).filter((entry) => entry.startsWith('.'))).toEqual([]);
  });

  test('is rejected without a video source, before anything is written', async () => {
    const file = scenario('synthetic', { source: { synthetic: { seconds: 2 } } });
    const out = join(root, 'never');
    await expect(openRun(file, { ...noOptions, out, output: { quality: true } })).rejects.toMatchObject({
      message: expect.stringMatching(/^synthetic\.json: output\.quality compares pictures.*use a file source$/),
      exitCode: 2,
    });
    expect(existsSync(out)).toBe(false);
  });

  test('is rejected without ffmpeg, with exit code 3', async () => {
    vi.stubEnv('FFMPEG_PATH', '/nowhere/ffmpeg');
    const opening = openRun(scenario('missing', {}), {
      ...noOptions,
      out: join(root, 'no'),
      output: { quality: true },
    });
    await expect(opening).rejects.toMatchObject({ exitCode: 3, message: expect.stringContaining('FFMPEG_PATH') });
    vi.unstubAllEnvs();
  });
});
