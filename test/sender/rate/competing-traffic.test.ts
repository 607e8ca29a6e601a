import { describe, expect, test } from 'vitest';
import { type Instant, instant, milliseconds } from '../../../protocol/base/units.ts';
import { CompetingTraffic } from '../../../sender/rate/competing-traffic.ts';
import { Competition } from '../../../sender/rate/competition.ts';

const at = (ms: number): Instant => instant(milliseconds(ms));
const BYTES = 1_200;
const FRAME_MS = 33;
/** Packets of a frame leave 1 ms apart. */
const SPACING_MS = 1;

/**
 * Reports a stream of frames behind a queue of 200 ms. `othersShare` of the bottleneck is taken by others, who send at all
 * times; the rest is as fast as the stream.
 */
function observe({ packetsPerFrame, othersShare }: { packetsPerFrame: number; othersShare: number }) {
  const traffic = new CompetingTraffic();
  const capacity = (packetsPerFrame * BYTES) / FRAME_MS / (1 - othersShare);
  let leavesMs = 200;
  let beforeMs = 0;
  for (let frame = 0; frame < 50; frame++) {
    for (let packet = 0; packet < packetsPerFrame; packet++) {
      const sentMs = frame * FRAME_MS + packet * SPACING_MS;
      leavesMs += BYTES / capacity + othersShare * (sentMs - beforeMs);
      beforeMs = sentMs;
      traffic.onWaited(at(leavesMs), { sentAt: at(sentMs), arrivedAt: milliseconds(leavesMs), bytes: BYTES });
    }
  }
  return { estimate: traffic.estimate, capacity: capacity * 1_000 };
}

describe('cross traffic', () => {
  test.each([0, 0.2, 0.5, 0.9])('of a share of %f of the bottleneck is measured, with its capacity', (othersShare) => {
    const { estimate, capacity } = observe({ packetsPerFrame: 4, othersShare });
    expect(estimate!.share).toBeCloseTo(othersShare, 2);
    expect(estimate!.capacity / capacity).toBeCloseTo(1, 1);
  });

  test('cannot be told by frames of one packet', () => {
    expect(observe({ packetsPerFrame: 1, othersShare: 0.5 }).estimate).toBeUndefined();
  });

  test('is not read from a gap in which the queue was empty', () => {
    const traffic = new CompetingTraffic();
    for (let number = 0; number < 100; number++) {
      const sentAt = at(number * 10);
      traffic.onWaited(sentAt, { sentAt, arrivedAt: milliseconds(number * 10 + 50), bytes: BYTES });
      traffic.interrupt();
    }
    expect(traffic.estimate).toBeUndefined();
  });
});

describe('competition', () => {
  const CAPACITY = 750_000;
  const roundTrip = milliseconds(300);
  const queue = { stands: true, others: { share: 0.9, capacity: CAPACITY }, hasLost: false, roundTrip, target: 12_500 };

  /** Rates of ten seconds with a report every 100 ms. @param lostAt times of losses, ms. */
  function rates(observation: typeof queue, lostAt: readonly number[] = []): number[] {
    const competition = new Competition();
    return Array.from({ length: 100 }, (_, report) => {
      const hasLost = lostAt.includes(report * 100);
      return competition.update(at(report * 100), { ...observation, hasLost });
    });
  }

  test('begins after a queue has stood for a second, and takes half of the bottleneck at most', () => {
    const all = rates(queue);
    expect(all.slice(0, 10)).toEqual(new Array(10).fill(0));
    expect(all[10]).toBeGreaterThanOrEqual(12_500 * 0.99);
    for (let report = 11; report < all.length; report++) expect(all[report]).toBeGreaterThanOrEqual(all[report - 1]!);
    expect(all.at(-1)).toBeCloseTo(CAPACITY / 2, 0);
  });

  test('does not begin where others take half or less: the queue is our own', () => {
    expect(rates({ ...queue, others: { share: 0.4, capacity: CAPACITY } })).toEqual(new Array(100).fill(0));
  });

  test('reduces the rate by three tenths at a loss, once a round trip', () => {
    const [without, once, twice] = [rates(queue), rates(queue, [9_000]), rates(queue, [9_000, 9_100])];
    expect(once[90]! / without[89]!).toBeCloseTo(0.7, 1);
    expect(twice[91]).toBe(once[91]);
  });

  test('ends when no queue has stood for a second, and asks for frames that show whose queue it is', () => {
    const competition = new Competition();
    for (let ms = 0; ms <= 2_000; ms += 100) competition.update(at(ms), queue);
    expect(competition.update(at(2_100), { ...queue, stands: false })).toBeGreaterThan(0);
    expect(competition.update(at(3_100), { ...queue, stands: false })).toBe(0);
    expect(competition.seeksFrames).toBe(false);
    for (let ms = 3_200; ms <= 4_200; ms += 100) competition.update(at(ms), { ...queue, others: undefined });
    expect(competition.seeksFrames).toBe(true);
  });
});
