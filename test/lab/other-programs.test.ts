import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect } from 'vitest';
import { mergeRun, openRun, sweepShard } from '../../lab/run.ts';
import { optional } from '../optional.ts';

/** The tables of a run in programs that are not ours: pandas and matplotlib in a notebook, and DuckDB. */

/** The interpreter of the distribution, which has its packages. */
const PYTHON = '/usr/bin/python3';
const python = (program: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}) =>
  spawnSync(PYTHON, ['-c', program, ...args], { encoding: 'utf8', env: { ...process.env, ...env } });
const has = (modules: string) => python(`import ${modules}`).status === 0;

const NOTEBOOK = fileURLToPath(new URL('../../samples/notebooks/missed.ipynb', import.meta.url));
/** Runs the code cells of a notebook in one namespace, as its kernel does. */
const EXECUTE = `
import json, sys
names = {}
for cell in json.load(open(sys.argv[1]))['cells']:
    if cell['cell_type'] == 'code':
        exec(compile(''.join(cell['source']), 'cell', 'exec'), names)
`;

const folder = mkdtempSync(join(tmpdir(), 'dropframe-other-programs-'));
const run = join(folder, 'run');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Point {
  frames: number;
  framesInTime: number;
}
/** Frames by strategy and budget, of all seeds. */
const points = new Map<string, Point>();

beforeAll(async () => {
  const scenario = {
    name: 'other-programs',
    question: 'Are the tables what they seem elsewhere?',
    source: { synthetic: { kbps: 300, seconds: 4 } },
    link: { forward: 'loss=5% delay=20ms' },
    strategies: ['nack', 'fec'],
    budgetsMs: [50, 120],
    repeats: 2,
  };
  const path = join(folder, 'other-programs.json');
  writeFileSync(path, JSON.stringify(scenario));
  const opened = await openRun(path, { out: run, strategies: undefined, output: {}, warn: () => {} });
  await sweepShard(opened, {
    shard: { index: 1, of: 1 },
    jobs: 0,
    fresh: false,
    signal: new AbortController().signal,
    onProgress: () => {},
  });
  const { rows } = await mergeRun(run, [], 'test');
  for (const { strategy, budgetMs, frames, framesInTime } of rows) {
    const point = points.get(`${strategy} ${budgetMs}`) ?? { frames: 0, framesInTime: 0 };
    points.set(`${strategy} ${budgetMs}`, {
      frames: point.frames + frames,
      framesInTime: point.framesInTime + framesInTime,
    });
  }
}, 120_000);

optional('pandas and matplotlib of the system’s python3', has('pandas, matplotlib'))(
  'the notebook draws the points of the report',
  () => {
    const [table, picture] = [join(folder, 'points.csv'), join(folder, 'missed.png')];
    const env = { DROPFRAME_RUN: run, DROPFRAME_POINTS: table, DROPFRAME_PICTURE: picture, MPLBACKEND: 'agg' };
    const { status, stdout, stderr } = python(EXECUTE, [NOTEBOOK], env);
    expect([status, status === 0 ? '' : stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^8 rows, read by (pandas|duckdb|csv)$/m);
    const [head, ...lines] = readFileSync(table, 'utf8').trim().split('\n');
    expect(head).toBe('forward,strategy,parameters,budgetMs,frames,framesInTime,missed');
    const drawn = lines.map((line) => {
      const [, strategy, , budgetMs, frames, framesInTime] = line.split(',');
      return [
        `${strategy} ${Number(budgetMs)}`,
        { frames: Number(frames), framesInTime: Number(framesInTime) },
      ] as const;
    });
    expect(new Map(drawn)).toEqual(points);
    const png = readFileSync(picture);
    expect(png.subarray(1, 4).toString('latin1')).toBe('PNG');
    // Width and height of 8 by 4.5 inches at 150 dots per inch.
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([1_200, 675]);
  },
);

optional('duckdb of the system’s python3', has('duckdb'))('DuckDB reads the tables in one line', () => {
  const sql = `SELECT strategy || ' ' || budgetMs, sum(frames), sum(framesInTime) FROM '${run}/summary.parquet' GROUP BY ALL`;
  const { stdout, stderr } = python(
    'import sys, json, duckdb; print(json.dumps([[str(v) for v in row] for row in duckdb.sql(sys.argv[1]).fetchall()]))',
    [sql],
  );
  expect(stderr).toBe('');
  const rows = JSON.parse(stdout) as [string, string, string][];
  const read = rows.map(([key, frames, inTime]) => {
    const [strategy, budgetMs] = key.split(' ');
    return [
      `${strategy} ${Number(budgetMs)}`,
      { frames: Number(frames), framesInTime: Number(inTime) } satisfies Point,
    ] as const;
  });
  expect(new Map(read)).toEqual(points);
});
