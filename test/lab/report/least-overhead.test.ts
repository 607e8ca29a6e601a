import { describe, expect, test } from 'vitest';
import { leastOverhead } from '../../../lab/report/least-overhead.ts';
import type { SummaryRow } from '../../../lab/tables.ts';
import { row } from './made-up-tables.ts';

const FRAMES = 100_000;

/** Point A of the reference: 12 packets of 1,000 bytes a frame, 5 % loss, 25 ms each way, 150 ms; five frames lost. */
const pointA = (changes: Partial<SummaryRow> = {}): SummaryRow =>
  row({
    forward: 'loss=5% delay=25ms seed=1',
    linkLoss: 0.05,
    linkDelayMs: 25,
    linkRttMs: 50,
    budgetMs: 150,
    framesPerSecond: 30,
    sourceRate: 12_000 * 8 * 30,
    framePackets: 12,
    framePacketsMax: 12,
    frames: FRAMES,
    framesCompleteInTime: FRAMES - 5,
    ...changes,
  });

/** Packets per packet of the media: the overhead without headers of 40 bytes per 1,000, plus one. */
const withoutHeaders = (overhead: number): number => (1 + overhead) / 1.04;

describe('the least overhead', () => {
  test('is the bound of schemes that code frame by frame', () => {
    // The reference has 7.68 % with headers of 1.99 %.
    expect(withoutHeaders(leastOverhead([pointA()])!.scheme!)).toBeCloseTo(1.0768 / 1.0199, 3);
  });

  test('takes all seeds together', () => {
    const seeds = [FRAMES, FRAMES - 10].map((framesCompleteInTime) => pointA({ framesCompleteInTime }));
    expect(leastOverhead(seeds)).toEqual(leastOverhead([pointA()]));
  });

  test('of runs without losses is that of half a frame', () => {
    const ofHalf = leastOverhead([pointA({ framesCompleteInTime: FRAMES - 0.5 })]);
    expect(leastOverhead([pointA({ framesCompleteInTime: FRAMES })])).toEqual(ofHalf);
  });

  test.each<[string, Partial<SummaryRow>]>([
    ['bursts', { forward: 'loss=5% burst=3 delay=25ms' }],
    ['a bottleneck', { forward: 'loss=5% delay=25ms rate=8mbit' }],
    ['jitter', { forward: 'loss=5% delay=25ms jitter=5ms' }],
    ['frames of several lengths', { framePackets: 11.5 }],
    ['more than 60 % loss', { forward: 'loss=95% delay=25ms', linkLoss: 0.95 }],
  ])('is that of any scheme with %s', (_, changes) => {
    const { floor, scheme } = leastOverhead([pointA(changes)])!;
    expect(scheme).toBeUndefined();
    const headers = 1 + (40 * (changes.framePackets ?? 12)) / 12_000;
    expect((1 + floor) / headers).toBeCloseTo((1 - 5 / FRAMES) / (1 - (changes.linkLoss ?? 0.05)), 9);
  });

  test.each<[string, Partial<SummaryRow>]>([
    ['TCP', { framePackets: null, framePacketsMax: null }],
    ['a path without loss', { forward: 'delay=25ms', linkLoss: 0 }],
    ['a line that is not a link', { forward: 'kernel' }],
    ['frames of very many packets', { framePackets: 500, framePacketsMax: 500 }],
  ])('is unknown for %s', (_, changes) => {
    expect(leastOverhead([pointA(changes)])).toBeUndefined();
  });
});
