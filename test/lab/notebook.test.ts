import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { completeRun, openRun, sweepShard } from '../../lab/run.ts';
import { temporaryFolder } from '../io/sources/media.ts';
import { optional } from '../optional.ts';

/** Debian's own Python, which has Debian's packages, whichever others there are. */
const PYTHON = '/usr/bin/python3';
const hasPackages = spawnSync(PYTHON, ['-c', 'import pandas, matplotlib'], { stdio: 'ignore' }).status === 0;
const withPandas = optional("Debian's python3-pandas and python3-matplotlib", hasPackages);

const NOTEBOOK = join(import.meta.dirname, '../../samples/notebooks/missed.ipynb');
/** Executes the code cells of a notebook in their order, in one namespace, as Jupyter does. */
const EXECUTE = `
import json, sys
namespace = {}
for cell in json.load(open(sys.argv[1]))['cells']:
    if cell['cell_type'] == 'code':
        exec(compile(''.join(cell['source']), sys.argv[1], 'exec'), namespace)
`;

withPandas('the notebook draws the points of a run from its result folder', async () => {
  const folder = temporaryFolder();
  const [file, out] = [join(folder, 'drawn.json'), join(folder, 'out')];
  writeFileSync(
    file,
    JSON.stringify({
      name: 'drawn',
      question: 'What is drawn?',
      source: { synthetic: { kbps: 300, seconds: 4, keyInterval: 10 } },
      link: { forward: ['loss=5% delay=20ms', 'loss=5% burst=4 delay=20ms'] },
      strategies: ['none', 'nack', { strategy: 'fec', redundancy: 0.2 }],
      budgetsMs: [50, 120],
      repeats: 2,
    }),
  );
  const opened = await openRun(file, { out, output: {}, strategies: undefined, warn: () => {} });
  const { signal } = new AbortController();
  await sweepShard(opened, { shard: { index: 1, of: 1 }, jobs: 0, fresh: false, signal, onProgress: () => {} });
  const { rows } = await completeRun(opened, 'test');

  const [points, picture] = [join(folder, 'points.csv'), join(folder, 'missed.png')];
  const settings = { DROPFRAME_RUN: out, DROPFRAME_POINTS: points, DROPFRAME_PICTURE: picture, MPLBACKEND: 'agg' };
  const { status, stdout, stderr } = spawnSync(PYTHON, ['-c', EXECUTE, NOTEBOOK], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, MPLCONFIGDIR: folder, ...settings },
  });
  expect(stderr).not.toContain('Error');
  expect(status).toBe(0);
  expect(stdout).toMatch(/^24 rows, read by (csv|pandas|duckdb)\n/);

  // Seeds are one point: 2 paths, 3 strategies, 2 budgets.
  const expected = new Map<string, [frames: number, framesInTime: number]>();
  for (const { forward, strategy, parameters, budgetMs, frames, framesInTime } of rows) {
    const key = [forward.replace(/\s*seed=\d+/, ''), strategy, parameters, budgetMs].join();
    const [sum, inTime] = expected.get(key) ?? [0, 0];
    expected.set(key, [sum + frames, inTime + framesInTime]);
  }
  const [head, ...lines] = readFileSync(points, 'utf8').trim().split('\n');
  expect(head).toBe('forward,strategy,parameters,budgetMs,frames,framesInTime,missed');
  const drawn = lines.map((line) => line.split(','));
  expect(drawn).toHaveLength(12);
  for (const line of drawn) {
    const [frames, inTime] = expected.get(line.slice(0, 4).join())!;
    expect(line.slice(4, 6).map(Number)).toEqual([frames, inTime]);
    expect(Number(line[6])).toBeCloseTo(100 * (1 - inTime / frames), 9);
  }
  // PNG, 8 by 4.5 inches of 150 dots: width and height follow the header of the first chunk.
  const png = readFileSync(picture);
  expect(png.subarray(1, 4).toString()).toBe('PNG');
  expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([1_200, 675]);
});
