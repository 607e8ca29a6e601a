import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { bestOf } from '../../../lab/report/best-plot.ts';
import { commaSeparated } from '../../../lab/report/comma-separated.ts';
import { delayPlot } from '../../../lab/report/delay-plot.ts';
import { openDrawer, specification } from '../../../lab/report/draw-plot.ts';
import { frontierPlot } from '../../../lab/report/frontier-plot.ts';
import { operatingPoints } from '../../../lab/report/operating-point.ts';
import { overheadPlot } from '../../../lab/report/overhead-plot.ts';
import type { Layout } from '../../../lab/report/plot.ts';
import { cases, panelsOf, referenceCase } from '../../../lab/report/reference-case.ts';
import { STRATEGY_STYLES } from '../../../lab/report/strategy-style.ts';
import { timelinePlot } from '../../../lab/report/timeline-plot.ts';
import { plotsOf } from '../../../lab/report/write-report.ts';
import { STRATEGIES } from '../../../lab/strategies.ts';
import { frame, grid, gridFrames, lostFrame, row, tables } from './made-up-tables.ts';

/** Time limit for two dozen drawings on a busy machine. */
const PATIENCE_MS = 120_000;
const LAYOUTS: readonly Layout[] = ['wide', 'narrow'];
const schema = JSON.parse(
  readFileSync(createRequire(import.meta.url).resolve('vega-lite/vega-lite-schema.json'), 'utf8'),
);
const validate = new Ajv({ strict: false, validateFormats: false }).compile(schema);

/** Tables of all kinds that scenarios produce. */
const VARIED = {
  'a frontier with frames': tables(grid({ budgetsMs: [60, 150, 400] }), { frames: gridFrames }),
  'an atlas of hundreds of rows': tables(grid({ losses: [0.01, 0.05, 0.1], delaysMs: [5, 40, 80], bursts: [1, 4] })),
  'a single row': tables([row()]),
  'a single row of nothing but misses': tables([
    row({
      framesInTime: 0,
      framesDecodable: 0,
      delayUsP50: Number.POSITIVE_INFINITY,
      delayUsP95: Number.POSITIVE_INFINITY,
      delayUsP99: Number.POSITIVE_INFINITY,
      deliveredUsP95: null,
      watchedUs: 0,
    }),
  ]),
  'rows without any frame': tables([row({ frames: 0, framesInTime: 0 })]),
  'no rows': tables([]),
  'unknown strategies': tables([row({ strategy: 'srt' }), row({ strategy: '"quoted" \\ \'too\'' })]),
  'a strategy missing on a path': tables([
    row({ strategy: 'nack' }),
    row({ strategy: 'fec' }),
    row({ strategy: 'nack', linkLoss: 0.1 }),
  ]),
};

describe.each(Object.entries(VARIED))('from %s', (_name, given) => {
  test(
    'each specification is valid Vega-Lite, and is drawn without warnings',
    async () => {
      const drawer = await openDrawer();
      const warnings: string[] = [];
      for (const plot of (await plotsOf(given)).plots) {
        for (const layout of LAYOUTS) {
          const valid = validate(specification(plot, layout, 'data.csv'));
          expect([plot.name, validate.errors?.slice(0, 2) ?? []]).toEqual([plot.name, []]);
          expect(valid).toBe(true);
          const svg = await drawer.draw(plot, layout, (text) => warnings.push(`${plot.name} ${layout}: ${text}`));
          expect(svg.startsWith('<svg') && svg.endsWith('</svg>')).toBe(true);
          expect(/NaN|Infinity|undefined|null/.exec(svg)).toBeNull();
        }
      }
      expect(warnings).toEqual([]);
    },
    PATIENCE_MS,
  );

  test('all data is finite', async () => {
    for (const { rows } of (await plotsOf(given)).plots) {
      for (const value of rows.flatMap((each) => Object.values(each))) {
        if (typeof value === 'number') expect(Number.isFinite(value)).toBe(true);
      }
    }
  });
});

test('the plots depend on the available data', async () => {
  const names = async (given: (typeof VARIED)[keyof typeof VARIED]) =>
    (await plotsOf(given)).plots.map(({ name }) => name);
  expect(await names(VARIED['a frontier with frames'])).toEqual([
    'frontier',
    'delay',
    'timeline',
    'overhead',
    'freezes',
    'seeds',
  ]);
  expect(await names(VARIED['an atlas of hundreds of rows'])).toEqual(
    expect.arrayContaining(['frontier', 'best', 'misses']),
  );
  expect(await names(VARIED['no rows'])).toEqual([]);
  expect(await names(VARIED['rows without any frame'])).toEqual([]);
});

test('the frontier shows every strategy in its own color', async () => {
  const points = operatingPoints(grid({ budgetsMs: [60, 400] }));
  const plot = frontierPlot(points)!;
  expect(new Set(plot.rows.map(({ strategy }) => strategy))).toEqual(new Set(STRATEGIES));
  const svg = await (await openDrawer()).draw(plot, 'wide');
  for (const strategy of STRATEGIES) expect([strategy, svg.includes(`>${strategy}</text>`)]).toEqual([strategy, true]);
  for (const { color } of STRATEGY_STYLES) expect([color, svg.includes(`stroke="${color}"`)]).toEqual([color, true]);
});

test('the frontier has one point per strategy and budget, pooled over seeds', () => {
  const rows = [
    row({ strategy: 'nack', budgetMs: 60, seed: 1, frames: 1_000, framesInTime: 990 }),
    row({ strategy: 'nack', budgetMs: 60, seed: 2, frames: 3_000, framesInTime: 2_950 }),
    row({ strategy: 'nack', budgetMs: 200, seed: 1, frames: 1_000, framesInTime: 1_000 }),
    row({ strategy: 'fec', budgetMs: 60, seed: 1, frames: 1_000, framesInTime: 900 }),
  ];
  const points = frontierPlot(operatingPoints(rows))!.rows.map(({ strategy, latencyMs, missed, misses, seeds }) => ({
    strategy,
    latencyMs,
    missed,
    misses,
    seeds,
  }));
  expect(points).toEqual([
    { strategy: 'nack', latencyMs: 60, missed: 60, misses: 0.015, seeds: 2 },
    { strategy: 'nack', latencyMs: 200, missed: 0, misses: 0, seeds: 1 },
    { strategy: 'fec', latencyMs: 60, missed: 100, misses: 0.1, seeds: 1 },
  ]);
});

test('zero misses are drawn one decade below a single frame', () => {
  const [perfect] = frontierPlot(operatingPoints([row({ frames: 5_000 })]))!.rows;
  expect(perfect?.drawn).toBeCloseTo(1e-4, 12);
});

test('with one budget, the frontier uses the delay of delivered frames', () => {
  const [only] = frontierPlot(operatingPoints([row({ deliveredUsP95: 70_000 })]))!.rows;
  expect(only?.latencyMs).toBe(70);
});

test('rows of several seeds belong to one path', () => {
  const points = operatingPoints([row({ seed: 1 }), row({ seed: 2 })]);
  expect(points.map(({ path }) => path)).toEqual(['loss=2% delay=20ms ⇄ delay=20ms']);
  expect(points[0]?.frames).toBe(6_000);
});

test('two sources on one path count as two paths', () => {
  const points = operatingPoints([row({ source: 'a.mp4' }), row({ source: 'b.mp4' })]);
  expect(points.map(({ path }) => path.split(',')[0])).toEqual(['a.mp4', 'b.mp4']);
});

test('parameters distinguish strategies', () => {
  const points = operatingPoints([
    row({ strategy: 'hybrid' }),
    row({ strategy: 'hybrid', parameters: 'redundancy=1' }),
  ]);
  expect(points.map(({ strategy }) => strategy)).toEqual(['hybrid', 'hybrid redundancy=1']);
});

test('panel titles omit words shared by all paths', () => {
  const points = operatingPoints([row({ linkLoss: 0.01 }), row({ linkLoss: 0.05 })]);
  const { titles, common } = panelsOf(points);
  expect([...titles.values()]).toEqual(['loss=1%', 'loss=5%']);
  expect(common).toBe('delay=20ms ⇄ delay=20ms');
});

test('six of many paths have panels, including the first and the last', () => {
  const losses = Array.from({ length: 40 }, (_, index) => (index + 1) / 100);
  const { titles, of } = panelsOf(operatingPoints(losses.map((linkLoss) => row({ linkLoss }))));
  expect([titles.size, of]).toEqual([6, 40]);
  expect([...titles.values()][0]).toBe('loss=1%');
  expect([...titles.values()].at(-1)).toBe('loss=40%');
});

test('the best strategy is the cheapest among those statistically equal to the lowest miss ratio', () => {
  const rows = [
    row({ strategy: 'none', framesInTime: 2_500, overhead: 0.03 }),
    row({ strategy: 'fec', framesInTime: 2_999, overhead: 0.3 }),
    row({ strategy: 'nack', framesInTime: 2_997, overhead: 0.05 }),
  ];
  expect(bestOf(cases(operatingPoints(rows))[0]!)?.strategy).toBe('nack');
});

test('the reference case separates the most strategies', () => {
  const rows = [0.01, 0.05, 0.2].flatMap((linkLoss, index) => [
    row({ strategy: 'none', linkLoss, framesInTime: [2_990, 2_000, 10][index]! }),
    row({ strategy: 'nack', linkLoss, framesInTime: [2_991, 2_700, 12][index]! }),
    row({ strategy: 'fec', linkLoss, framesInTime: [2_992, 2_950, 11][index]! }),
  ]);
  expect(referenceCase(cases(operatingPoints(rows)))?.path).toContain('loss=5%');
});

test('the Pareto front has all points that no other dominates', () => {
  const rows = [
    row({ strategy: 'none', framesInTime: 2_500, overhead: 0.03 }),
    row({ strategy: 'nack', framesInTime: 2_990, overhead: 0.05 }),
    row({ strategy: 'reorder', framesInTime: 2_400, overhead: 0.04 }),
    row({ strategy: 'fec', framesInTime: 3_000, overhead: 0.3 }),
  ];
  const front = overheadPlot(operatingPoints(rows))!.rows.filter((each) => each.front);
  expect(front.map(({ strategy }) => strategy)).toEqual(['none', 'nack', 'fec']);
});

test('the delay curve ends at the fraction of lost frames', () => {
  const rows = [row({ frames: 100, framesInTime: 90 })];
  const frames = Array.from({ length: 100 }, (_, number) => (number % 10 === 0 ? lostFrame(number) : frame(number)));
  const { rows: steps } = delayPlot(cases(operatingPoints(rows))[0], () => frames)!;
  expect(steps.at(-1)?.later).toBeCloseTo(0.1, 12);
  expect(steps.at(-2)).toMatchObject({ delayMs: 25, later: 0.1 });
});

test('without frames, the delay curve uses the finite percentiles', () => {
  const { rows, caption } = delayPlot(cases(operatingPoints([row()]))[0], () => undefined)!;
  expect(rows.map(({ delayMs, later }) => [delayMs, later])).toEqual([
    [25, 0.5],
    [70, 0.05],
    [120, 0.01],
  ]);
  expect(caption).toContain('percentiles');
});

test('the timeline shows the worst loss, with frames late by the budget, lost, recovered and on time', () => {
  const late = frame(52, { decodableAt: frame(52).capturedAt + 151_000, class: 'onTime' });
  const mended = frame(51, { decodableAt: frame(51).capturedAt + 90_000, class: 'recovered', mechanism: 'repair' });
  const frames = Array.from({ length: 120 }, (_, number) => frame(number))
    .with(50, lostFrame(50))
    .with(51, mended)
    .with(52, late)
    .with(100, lostFrame(100));
  const { rows } = timelinePlot(cases(operatingPoints([row()]))[0], () => frames)!;
  expect(rows.filter(({ outcome }) => outcome !== 'on time').map(({ number, outcome }) => [number, outcome])).toEqual([
    [50, 'lost'],
    [51, 'recovered'],
    [52, 'late'],
  ]);
  expect(rows.find(({ number }) => number === 50)).toMatchObject({ frame: 0, endMs: 150, decodableMs: null });
});

test('the timeline starts at a loss that is rare for a strategy', () => {
  const rows = [row({ strategy: 'none', framesInTime: 0 }), row({ strategy: 'hybrid', framesInTime: 2_999 })];
  const always = Array.from({ length: 120 }, (_, number) => lostFrame(number));
  const once = Array.from({ length: 120 }, (_, number) => (number === 70 ? lostFrame(number) : frame(number)));
  const shown = cases(operatingPoints(rows))[0];
  const plot = timelinePlot(shown, (cell) => (cell.startsWith('none') ? always : once));
  expect(plot?.rows.find(({ frame: fromLoss }) => fromLoss === 0)?.number).toBe(70);
});

test('there is no timeline without losses', () => {
  const frames = Array.from({ length: 120 }, (_, number) => frame(number));
  expect(timelinePlot(cases(operatingPoints([row()]))[0], () => frames)).toBeUndefined();
});

test('TCP frames in time are on time, not recovered', () => {
  const frames = Array.from({ length: 120 }, (_, number) => frame(number, { mechanism: 'transport' }));
  const shown = cases(operatingPoints([row()]))[0];
  expect(timelinePlot(shown, () => frames)).toBeUndefined();
  const late = frame(50, { decodableAt: frame(50).capturedAt + 151_000, mechanism: 'transport', class: 'late' });
  const plot = timelinePlot(shown, () => frames.with(50, late));
  expect(plot?.rows.map(({ outcome }) => outcome)).toEqual(
    plot?.rows.map(({ number }) => (number === 50 ? 'late' : 'on time')),
  );
});

test('CSV fields with commas, quotes and line ends are quoted', () => {
  expect(commaSeparated([{ a: 'x,"y"\nz', b: null, c: 1.5, d: true }])).toBe('a,b,c,d\r\n"x,""y""\nz",,1.5,true\r\n');
});
