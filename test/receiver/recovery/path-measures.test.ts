import { describe, expect, test } from 'vitest';
import { type Instant, instant, microseconds, milliseconds } from '../../../protocol/base/units.ts';
import { WindowedMaximum } from '../../../protocol/base/windowed-maximum.ts';
import { asSequence } from '../../../protocol/rtp/sequence.ts';
import { RoundTrip } from '../../../receiver/feedback/round-trip.ts';
import { ArrivalModel } from '../../../receiver/recovery/arrival-model.ts';
import { LossEstimator } from '../../../receiver/recovery/loss-estimator.ts';
import { ReorderingEstimator } from '../../../receiver/recovery/reordering-estimator.ts';
import { attemptsBy } from '../../../receiver/recovery/request-schedule.ts';
import { CLEAN_LINK } from '../../../sim/link/clean-link.ts';
import { LossProcess } from '../../../sim/link/loss-process.ts';

const at = (ms: number): Instant => instant(milliseconds(ms));

describe('the windowed maximum', () => {
  test('is remembered for one slot but not for three', () => {
    const maximum = new WindowedMaximum({ slot: microseconds(100) });
    maximum.observe(instant(0), 7);
    maximum.observe(instant(50), 3);
    expect([50, 99, 150, 199].map((now) => maximum.at(instant(now)))).toEqual([7, 7, 7, 7]);
    maximum.observe(instant(199), 5);
    expect(maximum.at(instant(299))).toBe(5);
    expect(maximum.at(instant(1_000))).toBe(0);
  });

  test('starts with the initial value', () => {
    expect(new WindowedMaximum({ slot: microseconds(100), initial: 9 }).at(instant(5))).toBe(9);
  });
});

describe('the loss', () => {
  const measured = (loss: number, burst: number, packets: number) => {
    const path = new LossProcess({ ...CLEAN_LINK, loss, burst, seed: 5 }, 'forward');
    const meter = new LossEstimator();
    for (let sequence = 65_000; sequence < 65_000 + packets; sequence++)
      if (!path.next()) meter.onPacket(asSequence(sequence));
    return meter;
  };

  test.each([
    [0.05, 1],
    [0.1, 8],
    [0.01, 1],
  ])('is measured, and the runs that it comes in (%d, %d)', (loss, burst) => {
    // Mean over several stretches of path: within a tenth and a fifth for twenty times the estimator's memory.
    let [share, run] = [0, 0];
    for (let stretch = 1; stretch <= 20; stretch++) {
      const meter = measured(loss, burst, 4_000 * stretch);
      share += meter.loss / 20;
      run += meter.burst / 20;
    }
    expect(Math.abs(share - loss)).toBeLessThan(0.2 * loss);
    expect(Math.abs(run - Math.max(burst, 1 / (1 - loss)))).toBeLessThan(0.2 * burst);
  });

  test('is 0 with reordering only', () => {
    const meter = new LossEstimator();
    for (let sequence = 0; sequence < 5_000; sequence++) meter.onPacket(asSequence(sequence ^ 7));
    expect(meter.loss).toBe(0);
    expect(meter.burst).toBe(1);
  });

  test('of the first packets is at most one in some hundred', () => {
    const meter = new LossEstimator();
    for (let sequence = 0; sequence < 80; sequence++) if (sequence !== 3) meter.onPacket(asSequence(sequence));
    expect(meter.loss).toBeGreaterThan(0);
    expect(meter.loss).toBeLessThan(0.01);
  });

  test('of an outage does not count for the path', () => {
    const meter = new LossEstimator();
    for (let sequence = 0; sequence < 500; sequence++) meter.onPacket(asSequence(sequence));
    for (let sequence = 9_000; sequence < 9_500; sequence++) meter.onPacket(asSequence(sequence));
    expect(meter.loss).toBe(0);
  });
});

describe('the pace', () => {
  const arrive = (
    pace: ArrivalModel,
    frame: number,
    packetCount: number,
    gap: Instant,
    now: Instant,
    to = packetCount,
  ) => {
    for (let packetIndex = 0; packetIndex < to; packetIndex++) {
      const sequence = frame * packetCount + packetIndex;
      const packet = {
        sequence: asSequence(sequence),
        origin: 'sent' as const,
        ahead: true,
        expectedAt: now,
        transit: microseconds(0),
      };
      pace.onPacket(instant(now + packetIndex * gap), { ...packet, number: frame, mark: { packetIndex, packetCount } });
    }
  };

  test('within a frame determines the silence, by frame size', () => {
    const pace = new ArrivalModel();
    expect(pace.silence(instant(0), 12)).toBe(milliseconds(25));
    arrive(pace, 0, 12, at(4), instant(0));
    arrive(pace, 1, 100, instant(0), at(100));
    expect(pace.silence(at(100), 12)).toBe(milliseconds(5));
    expect(pace.silence(at(100), 100)).toBe(milliseconds(2));
    expect(pace.silence(at(100), 1_000)).toBe(milliseconds(25));
  });

  test('within a frame is not derived from its first group, and expires', () => {
    const pace = new ArrivalModel();
    arrive(pace, 0, 24, instant(0), instant(0), 16);
    expect(pace.silence(instant(0), 24)).toBe(milliseconds(25));
    arrive(pace, 1, 24, at(1), at(40));
    expect(pace.silence(at(70), 24)).toBe(milliseconds(2));
    expect(pace.silence(at(20_000), 24)).toBe(milliseconds(25));
  });

  test('of frames is known after the first step, and after a change only once many steps agree', () => {
    const pace = new ArrivalModel();
    const intervals = [0, 40, 80, 120, 200, ...Array.from({ length: 31 }, (_, step) => 240 + 40 * step)].map(
      (ms, frame) => {
        arrive(pace, frame, 3, instant(0), at(ms));
        return pace.interval;
      },
    );
    expect(intervals.slice(0, 6)).toEqual([
      undefined,
      milliseconds(40),
      milliseconds(40),
      milliseconds(40),
      undefined,
      undefined,
    ]);
    expect(intervals.slice(-3)).toEqual([undefined, milliseconds(40), milliseconds(40)]);
    expect(pace.packetsLikely).toBe(3);
  });
});

test('attempts are the answers possible before the deadline, and the rest is spare time', () => {
  expect(attemptsBy(at(100), instant(0), milliseconds(40))).toEqual({ count: 2, spare: at(20) - 1 });
  expect(attemptsBy(at(80), instant(0), milliseconds(40))).toEqual({ count: 1, spare: at(40) - 1 });
  expect(attemptsBy(at(40), at(50), milliseconds(40))).toEqual({ count: 0, spare: 0 });
});

test('the round trip is the median, which one delayed sample does not move', () => {
  const roundTrip = new RoundTrip();
  expect(roundTrip.typical).toBeUndefined();
  roundTrip.observe(milliseconds(50));
  expect([roundTrip.typical, roundTrip.spread]).toEqual([at(50), 0]);
  for (const sample of [52, 51, 400, 50]) roundTrip.observe(milliseconds(sample));
  expect([roundTrip.typical, roundTrip.spread]).toEqual([milliseconds(51), milliseconds(1)]);
});

test('the round trip follows a longer path after half of its samples', () => {
  const roundTrip = new RoundTrip();
  for (let sample = 0; sample < 20; sample++) roundTrip.observe(milliseconds(50));
  for (let sample = 0; sample < 5; sample++) roundTrip.observe(milliseconds(130));
  expect(roundTrip.typical).toBe(milliseconds(130));
});

test('the share of round trips within a time is that of the last 64; all before the first', () => {
  const roundTrip = new RoundTrip();
  expect(roundTrip.shareWithin(milliseconds(1))).toBe(1);
  for (let ms = 1; ms <= 100; ms++) roundTrip.observe(milliseconds(ms));
  expect([36, 52, 100].map((ms) => roundTrip.shareWithin(milliseconds(ms)))).toEqual([0, 0.25, 1]);
});

test('the wait for all but a share of the reordered packets follows what was observed, and forgets it slowly', () => {
  const reordering = new ReorderingEstimator(milliseconds(3));
  expect(reordering.waitForAllBut(0.1)).toBe(0);
  for (let count = 0; count < 500; count++) reordering.observe(at(count % 20), instant(0));
  expect(reordering.waitForAllBut(0.1)).toBe(milliseconds(18));
  expect(reordering.waitForAllBut(0)).toBe(milliseconds(20));
  for (let count = 0; count < 5_000; count++) reordering.observe(at(4), instant(0));
  expect(reordering.waitForAllBut(0.1)).toBe(milliseconds(5));
});
