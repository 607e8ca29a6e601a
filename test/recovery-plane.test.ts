import { expect, test } from 'vitest';
import { runPoint } from '../bench/point.ts';
import { cellAt, figuresOf, shareBehind } from '../bench/scan.ts';
import { seededRandom } from './seeded-random.ts';

/** Few points and frames; `npm run bench:points -- --scan plane` covers the whole plane. */
const POINTS = 8;
const FRAMES = 360;
const SEED = 20_261;

test('hybrid is no worse than the better of nack and fec within the redundancy budget at eight random points', () => {
  const random = seededRandom(SEED);
  const between = (low: number, high: number) => low + Math.floor(random() * (high - low + 1));
  const behind: string[] = [];
  for (let index = 0; index < POINTS; index++) {
    const lossPercent = between(1, 20) / 2;
    const delayMs = between(10, 80);
    const roundTrips = between(5, 32) / 10;
    // With more jitter than a quarter of the latency, frames are late by themselves.
    const jitterMs = between(0, Math.min(25, Math.floor((roundTrips * delayMs) / 2)));
    const { point } = cellAt({ lossPercent, delayMs, roundTrips, jitterMs, packets: between(1, 24) });
    const [nack, fec, hybrid] = (['nack', 'fec', 'hybrid'] as const).map((recovery) =>
      figuresOf([runPoint(point, { recovery, frames: FRAMES, seed: 1 })]),
    );
    const share = shareBehind(hybrid!, [nack!, fec!]);
    if (share > 0.005) behind.push(`seed ${SEED}, ${point.name}: ${(100 * share).toFixed(2)} %`);
  }
  expect(behind).toEqual([]);
});

test.each([{ delayMs: 75 }, { delayMs: 40 }])(
  'loses no more with more budget where it cannot insure every answer: 10 % loss, $delayMs ms one way',
  ({ delayMs }) => {
    const lost = (roundTrips: number) =>
      runPoint(cellAt({ lossPercent: 10, delayMs, roundTrips }).point, { recovery: 'hybrid', frames: 900, seed: 1 })
        .framesLost;
    const [less, more] = [lost(0.8), lost(1.5)];
    expect(more).toBeLessThanOrEqual(Math.max(less, 0.006 * 900));
  },
);
