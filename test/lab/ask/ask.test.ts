import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { type AskedCell, ask, openQuestion } from '../../../lab/ask/ask.ts';
import { readQuestion } from '../../../lab/ask/question.ts';
import { reachOf } from '../../../lab/ask/sampling.ts';
import { readScenarioFile } from '../../../lab/ready-made.ts';
import { openScenario } from '../../../lab/run.ts';

const root = mkdtempSync(join(tmpdir(), 'dropframe-ask-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const WORDS = ['loss=4%', 'rtt=40', 'budget=60,200', 'kbps=300', 'keys=10', 'seconds=6'];
const UNTIL = 0.02;

const open = (out: string, until = UNTIL, words: readonly string[] = WORDS) =>
  openQuestion(readQuestion('nack none', words), { until, seedsMax: 12, out: join(root, out), warn: () => {} });

async function answer(out: string, { signal = new AbortController().signal, onSeed = () => {} } = {}) {
  const looks: (readonly AskedCell[])[] = [];
  const result = await ask(await open(out), {
    jobs: 0,
    fresh: false,
    signal,
    version: 'test',
    onProgress: onSeed,
    onLook: (cells) => looks.push(cells),
  });
  return { result, looks };
}
const bytesOf = (out: string) =>
  ['summary.csv', 'asked.csv', 'run.json', 'scenario.json'].map((name) => readFileSync(join(root, out, name), 'utf8'));

test('each cell takes the seeds that it needs, and interrupted runs continue to the same bytes', async () => {
  const { result, looks } = await answer('whole');
  const cells = result!.cells;
  expect(cells.map(({ strategy, budgetMs }) => `${strategy} ${budgetMs}`)).toEqual([
    'nack 60',
    'none 60',
    'nack 200',
    'none 200',
  ]);
  for (const { seeds, isNarrow, inTime } of cells) {
    expect(seeds).toBeGreaterThanOrEqual(3);
    expect(isNarrow).toBe(reachOf(inTime) <= UNTIL);
    expect(isNarrow || seeds === 12).toBe(true);
  }
  const seeds = cells.map((cell) => cell.seeds);
  expect(Math.min(...seeds)).toBeLessThan(Math.max(...seeds));
  expect(looks.at(-1)).toEqual(cells);
  expect(result!.rows).toHaveLength(seeds.reduce((sum, count) => sum + count));
  expect(result!.gridRuns % cells.length).toBe(0);

  const abort = new AbortController();
  let finished = 0;
  const cut = await answer('cut', { signal: abort.signal, onSeed: () => void (++finished > 5 && abort.abort()) });
  expect(cut.result).toBeUndefined();
  await answer('cut');
  expect(bytesOf('cut')).toEqual(bytesOf('whole'));
});

test('the recorded scenario has every run of the answer', async () => {
  await answer('recorded');
  const { path, text } = await readScenarioFile(join(root, 'recorded', 'scenario.json'));
  const out = join(root, 'again');
  const { run } = await openScenario({ path, text }, { out, strategies: undefined, output: {}, warn: () => {} });
  const { cells } = JSON.parse(readFileSync(join(root, 'recorded', 'run.json'), 'utf8')) as { cells: string[] };
  expect(run.cells).toEqual(expect.arrayContaining(cells));
});

test('an interval out of reach is refused before anything is written, with its cost', async () => {
  await expect(open('never', 0.000_01)).rejects.toMatchObject({
    message: expect.stringMatching(
      /^--until 0\.001pp: 12 runs of 120 frames cannot show that; each of the 4 cells takes [\d,]+ runs or more, about [\d.]+ hours/,
    ),
    exitCode: 2,
  });
  expect(() => readFileSync(join(root, 'never', 'run.json'))).toThrow();
});

test('a budget shorter than the path is refused, or pointed out where other cells have longer ones', async () => {
  await expect(open('late', UNTIL, ['rtt=80', 'budget=30'])).rejects.toMatchObject({
    message:
      'no frame can be in time: a datagram takes 40 ms to arrive, longer than the budget of 30 ms; raise budget=',
    exitCode: 2,
  });
  const warnings: string[] = [];
  const question = readQuestion('nack', ['rtt=80', 'budget=30,100']);
  const warn = (message: string) => void warnings.push(message);
  await openQuestion(question, { until: UNTIL, seedsMax: 12, out: join(root, 'partly-late'), warn });
  expect(warnings).toEqual([expect.stringMatching(/^in 1 of 2 cells no frame can be in time: .* budget of 30 ms$/)]);
});

test('links that are refused are named in one line', async () => {
  await expect(open('bad', UNTIL, ['link=lost=1%'])).rejects.toThrow(/^ask: link\.forward/);
});
