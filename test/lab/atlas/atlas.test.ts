import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { prepareFolder } from '../../../lab/answer.ts';
import { ask, openQuestion } from '../../../lab/ask/ask.ts';
import { readQuestion } from '../../../lab/ask/question.ts';
import { computeAtlas, openAtlas } from '../../../lab/atlas/atlas.ts';
import { questionWords } from '../../../lab/atlas/atlas-cells.ts';
import { readAtlasSetting } from '../../../lab/atlas/atlas-setting.ts';
import { atlasRows, writeAtlas } from '../../../lab/atlas/write-atlas.ts';
import { parseParquet } from '../../../lab/store/parquet.ts';
import type { AtlasRow } from '../../../protocol/page/atlas-cell.ts';
import { SMALL_CELLS, SMALL_SETTING, SMALL_STRATEGIES, SMALL_WORDS } from './small-atlas.ts';

const root = mkdtempSync(join(tmpdir(), 'dropframe-atlas-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function compute(name: string, { jobs = 0, cells = SMALL_CELLS, stopAfter = Number.POSITIVE_INFINITY } = {}) {
  const atlas = await openAtlas(SMALL_SETTING, { out: join(root, name), cells, fresh: false });
  const abort = new AbortController();
  const onProgress = ({ computed }: { computed: number }) => void (computed >= stopAfter && abort.abort());
  const computed = await computeAtlas(atlas, { cells, jobs, signal: abort.signal, onProgress });
  await atlas.log.close();
  return { atlas, ...computed };
}

async function write(name: string, options: Parameters<typeof compute>[1] = {}) {
  const { atlas, tree } = await compute(name, options);
  await writeAtlas(atlas, tree!, 'test');
  return { atlas, tree: tree! };
}
const bytesOf = (name: string) =>
  ['atlas.parquet', 'atlas.json'].map((file) => readFileSync(join(root, name, file)).toString('base64'));

test('the table has the cells of the tree, each in its interval, and reads back as it was written', async () => {
  const { atlas, tree } = await write('whole');
  const rows = await parseParquet<AtlasRow>(readFileSync(join(root, 'whole/atlas.parquet')));
  expect(rows).toEqual(atlasRows(atlas, tree));
  expect(rows.length).toBeGreaterThanOrEqual(SMALL_CELLS);
  expect(rows).toHaveLength(atlas.log.size * SMALL_STRATEGIES.length);
  expect(tree.splits.length).toBeGreaterThan(0);
  const manifest = JSON.parse(readFileSync(join(root, 'whole/atlas.json'), 'utf8'));
  expect(manifest.rows).toBe(rows.length);
  for (const row of rows) {
    expect(row.low <= row.inTime && row.inTime <= row.high).toBe(true);
    expect(row.framesInTime / row.frames).toBeCloseTo(row.inTime, 5);
    if (row.limitInTime !== null) expect(row.inTime).toBeLessThanOrEqual(row.limitInTime + 1e-6);
    expect(row.limitInTime === null).toBe(row.rateKbps === 0);
    expect(row.leastOverhead === null).toBe(row.strategy === 'tcp-cubic');
  }
});

test('a winner is told only where its interval is above all others', async () => {
  const { atlas, tree } = await write('whole');
  const points = new Map<string, AtlasRow[]>();
  for (const row of atlasRows(atlas, tree)) {
    const place = `${row.loss} ${row.rttMs} ${row.budgetMs} ${row.rateKbps}`;
    points.set(place, [...(points.get(place) ?? []), row]);
  }
  const standings = new Set<string>();
  for (const rows of points.values()) {
    const best = rows.filter(({ standing }) => standing === 'best');
    const others = rows.filter((row) => row !== best[0]);
    expect(best.length).toBeLessThanOrEqual(1);
    if (best[0]) expect(others.every(({ high, standing }) => high < best[0]!.low && standing === 'behind')).toBe(true);
    else expect(rows.filter(({ standing }) => standing === 'tied').length).toBeGreaterThan(1);
    for (const { standing } of rows) standings.add(standing);
  }
  expect([...standings].sort()).toEqual(['behind', 'best', 'tied']);
});

test('a point is what `lab ask` answers to its words', async () => {
  const { atlas } = await write('whole');
  const point = atlas.coarse[5]!;
  const question = readQuestion(SMALL_STRATEGIES.join(' '), questionWords(SMALL_SETTING, point));
  const { until, seedsMax } = SMALL_SETTING;
  const opened = await openQuestion(question, { until, seedsMax, out: join(root, 'asked'), warn: () => {} });
  const asked = await ask(opened, {
    ...{ jobs: 0, fresh: false, signal: new AbortController().signal, version: 'test' },
    ...{ onProgress: () => {}, onLook: () => {} },
  });
  const figures = asked!.cells.map(({ strategy, seeds, inTime }) => ({ strategy, seeds, ...inTime }));
  const cells = atlas.log.at(point.join(','))!;
  expect(figures).toEqual(
    cells.map(({ strategy, seeds, inTime, low, high }) => ({ strategy, seeds, value: inTime, low, high })),
  );
});

test('threads, an interruption, a line cut off by kill -9 and a damaged one lead to the same bytes', async () => {
  await write('whole');
  const cut = await compute('cut', { stopAfter: 12 });
  expect(cut).toMatchObject({ tree: undefined, ended: 'stopped' });
  const log = join(root, 'cut/points.jsonl');
  const lines = readFileSync(log, 'utf8');
  expect(lines.split('\n').length - 1).toBe(4);
  writeFileSync(log, lines.replace(/"seeds":\d/, '"seeds":9'));
  truncateSync(log, lines.length - 40);
  const { atlas } = await write('cut', { jobs: 2 });
  expect(atlas.ignored).toBe(2);
  expect(bytesOf('cut')).toEqual(bytesOf('whole'));
  expect((await openAtlas(SMALL_SETTING, { out: join(root, 'cut'), cells: 1, fresh: false })).log.size).toBe(
    atlas.log.size,
  );
});

test('more cells continue the rounds of an atlas', async () => {
  const coarse = await compute('grown', { cells: 1 });
  expect(coarse.tree!.splits).toEqual([]);
  await write('grown');
  await write('whole');
  expect(bytesOf('grown')).toEqual(bytesOf('whole'));
});

test.each([
  ['loss=0%,1%', /loss: '0%': expected more than 0/],
  ['loss=10%,1%', /loss: '10%,1%': expected different values, ascending/],
  ['loss=120%', /less than 100 %/],
  ['burst=0.5', /1 datagram or more/],
  ['rtt=-5,10', /rtt: '-5': expected round-trip time/],
  ['rate=1mbit,unlimited', /from unlimited downwards/],
  ['rate=1gbit', /capacity forward/],
  ['rtt=100,105', /rtt: '100,105': too close for refined values of three digits; give values further apart/],
  ['budget=75,200,210', /budget: '75,200,210': too close/],
  ['rate=1250kbit,1240kbit', /rate: .* too close/],
  ['seconds=4', /60 frames that count of a run are too few/],
  ['lose=1%', /unknown|did you mean|loss/],
  ['budget=', /budget: expected time/],
])('refuses %s in words', (word, message) => {
  expect(() => readAtlasSetting([word])).toThrow(message);
});

test('refuses what the simulator refuses before anything is written', async () => {
  const out = join(root, 'impossible');
  const setting = readAtlasSetting(['budget=75,99999999']);
  await expect(openAtlas(setting, { out, cells: 1, fresh: false })).rejects.toThrow(/budget/);
  expect(existsSync(out)).toBe(false);
});

test('refuses a folder with another atlas, of another version, or of another run', async () => {
  const out = join(root, 'other');
  const open = (setting = SMALL_SETTING, fresh = false) => openAtlas(setting, { out, cells: 1, fresh });
  await open();
  await expect(open(readAtlasSetting(SMALL_WORDS, ['nack', 'none']))).rejects.toThrow(/another --out/);
  const run = join(out, 'atlas-run.json');
  writeFileSync(run, readFileSync(run, 'utf8').replace(/"code":"\w+"/, '"code":"0123456789abcdef"'));
  appendFileSync(join(out, 'points.jsonl'), 'of another version\n');
  await expect(open()).rejects.toThrow(/another version of dropframe/);
  expect((await open(SMALL_SETTING, true)).log.size).toBe(0);
  writeFileSync(run, '{');
  await expect(open()).rejects.toThrow(/damaged/);
  const foreign = join(root, 'foreign');
  mkdirSync(foreign);
  writeFileSync(join(foreign, 'run.json'), '{}');
  await expect(openAtlas(SMALL_SETTING, { out: foreign, cells: 1, fresh: false })).rejects.toThrow(/lab run/);
});

test('computes it again without the old points, table and page, and keeps other files', async () => {
  const out = join(root, 'renewed');
  await compute('renewed', { cells: 1 });
  const old = ['atlas.parquet', 'atlas.json', 'atlas-data.js', 'index.html', 'atlas-page.js'];
  for (const name of [...old, 'notes.txt']) writeFileSync(join(out, name), 'old');
  const { log } = await openAtlas(SMALL_SETTING, { out, cells: 1, fresh: true });
  expect(log.size).toBe(0);
  expect(readdirSync(out).sort()).toEqual(['atlas-run.json', 'notes.txt']);
});

test('a run is not put into the folder of an atlas', async () => {
  const out = join(root, 'mapped');
  await openAtlas(SMALL_SETTING, { out, cells: 1, fresh: false });
  await expect(
    prepareFolder(out, { runId: 'a', spec: {}, attachments: { frames: false, packets: false }, cells: [] }),
  ).rejects.toThrow(/already holds an atlas of `lab atlas`; choose another --out/);
  expect(readdirSync(out)).toEqual(['atlas-run.json']);
});

test('refuses more than the disk has room for, and says which file cannot be written', async () => {
  const out = join(root, 'full');
  await expect(openAtlas(SMALL_SETTING, { out, cells: 1e15, fresh: false })).rejects.toThrow(/may need .* free/);
  const { log, coarse } = await openAtlas(SMALL_SETTING, { out, cells: 1, fresh: false });
  // A file system that takes nothing, as a full one.
  mkdirSync(join(out, 'points.jsonl'));
  await expect(log.add(coarse[0]!, [])).rejects.toThrow(/points.jsonl: .*finished points are kept/);
});
