import { describe, expect, test } from 'vitest';
import { type Cell, canonicalLink } from '../../lab/cell.ts';
import { type CellSource, NO_FILES } from '../../lab/cell-source.ts';
import { runCell } from '../../lab/run-cell.ts';
import type { SummaryRow } from '../../lab/tables.ts';

/** 40 s at 2 Mb/s: frames of 7 packets, key frames of 28, sent in two groups. */
const SOURCE: CellSource = {
  kind: 'synthetic',
  fps: 30,
  kbps: 2_000,
  keyInterval: 30,
  keyFrameRatio: 4,
  frames: 1_200,
};

function run(strategy: Cell['strategy'], link: string, budgetMs: number): SummaryRow {
  const seed = 1;
  const path = canonicalLink(link, seed);
  const cell: Cell = {
    strategy,
    parameters: {},
    source: SOURCE,
    budgetMs,
    warmUpSeconds: 2,
    release: 'deadline',
    seed,
    forward: path,
    back: path,
  };
  return runCell(cell, NO_FILES).row;
}

const missed = (link: string, budgetMs: number): number => {
  const { frames, framesInTime } = run('hybrid', link, budgetMs);
  return frames - framesInTime;
};

const budgets = (from: number, to: number): number[] =>
  Array.from({ length: (to - from) / 10 + 1 }, (_, index) => from + 10 * index);

describe('deadline-based recovery with more time', () => {
  test.each([
    ['loss=2% delay=10ms', budgets(40, 60)],
    ['loss=2% delay=20ms', budgets(60, 100)],
    ['loss=2% burst=4 delay=20ms', budgets(60, 90)],
    ['loss=2% delay=20ms rate=8mbit', budgets(60, 90)],
    ['loss=5% delay=40ms', budgets(110, 150)],
    ['loss=2% delay=80ms', budgets(230, 260)],
  ])(
    'does not lose more frames (%s)',
    (link, times) => {
      // A lost key frame or reference costs up to 30 frames; two of them are within chance.
      const allowed = 60;
      let least = Number.POSITIVE_INFINITY;
      for (const budget of times) {
        const frames = missed(link, budget);
        expect(frames, `${frames} frames at ${budget} ms, ${least} at less`).toBeLessThanOrEqual(least + allowed);
        least = Math.min(least, frames);
      }
      expect(least).toBeLessThan(20);
    },
    120_000,
  );
});

describe('a reordering path', () => {
  test('causes no needless requests with one request per round trip', () => {
    const { overhead, framesInTime } = run('nack', 'delay=40ms±5ms rate=8mbit', 160);
    expect(overhead).toBeLessThan(0.07);
    expect(framesInTime).toBe(1_140);
    expect(run('nack', 'loss=1% burst=8 delay=40ms±5ms rate=8mbit', 160).overhead).toBeLessThan(0.09);
  });

  test('causes no needless requests with deadline-based recovery and little time', () => {
    const { overhead, framesInTime } = run('hybrid', 'delay=40ms jitter=5ms rate=8mbit', 140);
    expect(overhead).toBeLessThan(0.07);
    expect(framesInTime).toBe(1_140);
  });
});
