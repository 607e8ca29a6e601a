import { expect, test } from 'vitest';
import type { Peer } from '../../bench/peers/peer.ts';
import { resultsTable } from '../../bench/peers/results-table.ts';
import { planOf, scheduleProgressText, workThrough } from '../../bench/peers/schedule.ts';
import { type PeerRun, standingsOf, verdictOf } from '../../bench/peers/standing.ts';
import type { BenchPoint } from '../../bench/point.ts';

const POINT: BenchPoint = {
  name: 'A',
  forward: 'loss=5% delay=25ms',
  back: 'loss=5% delay=25ms',
  budgetMs: 150,
  oneWayMs: 25,
  release: 'deadline',
};

const run = (peer: string, seed: number, result: { lost: number; late?: number; overhead?: number }): PeerRun => ({
  point: 'A',
  peer,
  seed,
  outcome: {
    frames: 1_000,
    lost: result.lost,
    late: result.late ?? 0,
    overhead: result.overhead ?? 0.1,
    delayMs: { p50: 140, p99: 145 + seed, max: 150 },
    feedLateMs: 1,
  },
});

const TITLES = [
  { name: 'srt', title: 'SRT' },
  { name: 'dropframe', title: 'dropframe hybrid' },
];
const NAMES = TITLES.map(({ name }) => name);

test('frames of all seeds are pooled, and overhead has a mean and an interval', () => {
  const runs = [
    run('srt', 1, { lost: 5, late: 1, overhead: 0.06 }),
    run('srt', 2, { lost: 3, late: 0, overhead: 0.08 }),
    run('srt', 3, { lost: 1, late: 2, overhead: 0.07 }),
  ];
  const [standing] = standingsOf(runs, 'A', NAMES);
  expect(standing).toMatchObject({ peer: 'srt', runs: 3, frames: 3_000, lost: 9, late: 3 });
  expect(standing!.missed.share).toBe(0.004);
  // Wilson: 12 of 3000.
  expect(standing!.missed.low).toBeCloseTo(0.00229, 5);
  expect(standing!.missed.high).toBeCloseTo(0.00698, 5);
  expect(standing!.overhead.mean).toBeCloseTo(0.07, 10);
  // 4.30 × 0.01 / √3.
  expect(standing!.overhead.reach).toBeCloseTo(0.02483, 5);
  expect(standing!.delayMs).toEqual({ p50: 140, p99: 147 });
});

test('a single run has no overhead interval', () => {
  expect(standingsOf([run('srt', 1, { lost: 0 })], 'A', NAMES)[0]!.overhead).toEqual({ mean: 0.1 });
});

test('the lowest miss ratio wins, whichever program it is', () => {
  const runs = [run('srt', 1, { lost: 2 }), run('dropframe', 1, { lost: 80 })];
  expect(verdictOf(standingsOf(runs, 'A', NAMES))).toEqual({ winner: 'srt', certain: true, byOverhead: false });
});

test('late frames count like lost ones', () => {
  const runs = [run('srt', 1, { lost: 20 }), run('dropframe', 1, { lost: 0, late: 90 })];
  expect(verdictOf(standingsOf(runs, 'A', NAMES))).toMatchObject({ winner: 'srt', certain: true });
});

test('a lead within chance is marked as such', () => {
  const runs = [run('srt', 1, { lost: 5 }), run('dropframe', 1, { lost: 4 })];
  expect(verdictOf(standingsOf(runs, 'A', NAMES))).toEqual({ winner: 'dropframe', certain: false, byOverhead: false });
});

test('among equals, the least overhead wins', () => {
  const runs = [run('srt', 1, { lost: 0, overhead: 0.02 }), run('dropframe', 1, { lost: 0, overhead: 0.03 })];
  expect(verdictOf(standingsOf(runs, 'A', NAMES))).toEqual({ winner: 'srt', certain: false, byOverhead: true });
});

test('a single program has no verdict', () => {
  expect(verdictOf(standingsOf([run('dropframe', 1, { lost: 0 })], 'A', NAMES))).toBeUndefined();
});

test('the table shows dropframe losing', () => {
  const runs = [
    run('srt', 1, { lost: 2, overhead: 0.067 }),
    run('dropframe', 1, { lost: 80, late: 10, overhead: 0.19 }),
  ];
  const lines = resultsTable(runs, [POINT], TITLES).split('\n');
  expect(lines.slice(2)).toEqual([
    '| **A**: `loss=5% delay=25ms, both directions`, 150 ms | **SRT** | 0.20 % (2 of 1000) | 0.055 % – 0.73 % | 0 | 6.7 % | 140.0 / 146.0 ms | best |',
    '|  | dropframe hybrid | 9.00 % (90 of 1000) | 7.38 % – 10.93 % | 10 | 19.0 % | 140.0 / 146.0 ms |  |',
  ]);
});

test('a point without runs has no rows', () => {
  expect(resultsTable([], [POINT], TITLES).split('\n')).toHaveLength(2);
});

test('programs of a point and seed are planned next to each other', () => {
  const peers = NAMES.map((name) => ({ name }) as Peer);
  const plan = planOf([POINT, { ...POINT, name: 'B' }], peers, 2).map(
    ({ seed, point, peer }) => `${seed}${point.name} ${peer.name}`,
  );
  expect(plan).toEqual([
    '1A srt',
    '1A dropframe',
    '1B srt',
    '1B dropframe',
    '2A srt',
    '2A dropframe',
    '2B srt',
    '2B dropframe',
  ]);
});

test('runs are limited to the requested parallelism, and all are made', async () => {
  let running = 0;
  let most = 0;
  const made: number[] = [];
  await workThrough([1, 2, 3, 4, 5], 2, async (item) => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setImmediate(resolve));
    running--;
    made.push(item);
  });
  expect({ most, made }).toEqual({ most: 2, made: [1, 2, 3, 4, 5] });
});

test('after a failure no run starts, and running ones are awaited', async () => {
  const finished: number[] = [];
  const work = async (item: number) => {
    if (item === 1) throw new Error('broken');
    await new Promise((resolve) => setImmediate(resolve));
    finished.push(item);
  };
  await expect(workThrough([1, 2, 3, 4], 2, work)).rejects.toThrow('broken');
  expect(finished).toEqual([2]);
});

test('the remaining time is estimated from completed runs', () => {
  expect(scheduleProgressText(0, 75, 0)).toBe('0 of 75 runs');
  expect(scheduleProgressText(5, 10, 50_000)).toBe('5 of 10 runs, about 50 s to go');
  expect(scheduleProgressText(15, 75, 900_000)).toBe('15 of 75 runs, about 60 min to go');
});
