import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Instant,
  instant,
  type Microseconds,
  microseconds,
  milliseconds,
} from '../../../../protocol/base/units.ts';
import { ArrivalTimeFilter } from '../../../../sender/rate/gcc/arrival-time-filter.ts';
import { DelayBasedRate, nextState, type RateState } from '../../../../sender/rate/gcc/delay-based-rate.ts';
import { GCC_DEFAULTS } from '../../../../sender/rate/gcc/gcc-options.ts';
import { IncomingRate } from '../../../../sender/rate/gcc/incoming-rate.ts';
import { LossBasedRate } from '../../../../sender/rate/gcc/loss-based-rate.ts';
import { OveruseDetector, type PathUse } from '../../../../sender/rate/gcc/overuse-detector.ts';
import { type GroupDelta, PacketGroups } from '../../../../sender/rate/gcc/packet-groups.ts';

const at = (ms: number): Instant => instant(milliseconds(ms));
const span = (ms: number): Microseconds => milliseconds(ms);
const delta = (arrival: number, departure: number): GroupDelta => ({
  arrivedAt: span(0),
  arrival: span(arrival),
  departure: span(departure),
});

describe('packet groups (§5.1, §5.2)', () => {
  const feed = (packets: readonly (readonly [sentMs: number, arrivedMs: number])[]) => {
    const groups = new PacketGroups(GCC_DEFAULTS);
    return packets.flatMap(([sent, arrived]) => groups.onPacket(at(sent), span(arrived)) ?? []);
  };

  test('packets sent within 5 ms are one group, timed by its last packet', () => {
    const packets = [
      [0, 20],
      [4, 25],
      [30, 51],
      [33, 56],
      [60, 80],
    ] as const;
    expect(feed(packets)).toEqual([{ arrivedAt: span(56), arrival: span(31), departure: span(29) }]);
  });

  test('packets that arrive in a burst after an outage are one group', () => {
    const held = [
      [0, 20],
      [30, 50],
      [60, 300],
      [90, 301],
      [120, 303],
      [150, 304],
      [180, 320],
      [210, 350],
    ] as const;
    // The burst ends with the packet that comes later than those before it did.
    expect(feed(held).map(({ arrival, departure }) => [arrival / 1_000, departure / 1_000])).toEqual([
      [30, 30],
      [254, 120],
      [16, 30],
    ]);
  });

  test('packets out of order are ignored', () => {
    const packets = [
      [0, 20],
      [30, 50],
      [10, 55],
      [60, 80],
    ] as const;
    expect(feed(packets)).toEqual([{ arrivedAt: span(50), arrival: span(30), departure: span(30) }]);
  });
});

describe('the arrival-time filter (§5.3)', () => {
  test('converges to a constant delay variation, and back to zero', () => {
    const filter = new ArrivalTimeFilter(GCC_DEFAULTS);
    for (let i = 0; i < 1_000; i++) filter.update(delta(7, 5));
    expect(filter.mean).toBeCloseTo(2, 1);
    for (let i = 0; i < 1_000; i++) filter.update(delta(5, 5));
    expect(Math.abs(filter.mean)).toBeLessThan(0.05);
  });

  test('follows the equations of the draft for the first two groups', () => {
    const filter = new ArrivalTimeFilter({ ...GCC_DEFAULTS, noiseCoefficient: 0.1 });
    filter.update(delta(7, 5));
    // z = 2, var_v = max(α + (1−α)·4, 1) with α = 0.9^(30·5/1000); k = 0.101 / (var_v + 0.101).
    const alpha = 0.9 ** 0.15;
    const noise = alpha + (1 - alpha) * 4;
    const gain = 0.101 / (noise + 0.101);
    expect(filter.noise).toBeCloseTo(noise, 12);
    expect(filter.mean).toBeCloseTo(2 * gain, 12);
    filter.update(delta(5, 5));
    const residual = -2 * gain;
    const noise2 = Math.max(1, alpha * noise + (1 - alpha) * residual ** 2);
    const covariance2 = (1 - gain) * 0.101 + 1e-3;
    expect(filter.mean).toBeCloseTo(2 * gain + (residual * covariance2) / (noise2 + covariance2), 12);
  });

  test('counts an outlier as three standard deviations in the noise', () => {
    const filter = new ArrivalTimeFilter({ ...GCC_DEFAULTS, noiseCoefficient: 0.1 });
    filter.update(delta(1_005, 5));
    expect(filter.noise).toBeLessThanOrEqual(9);
  });
});

describe('the over-use detector (§5.4)', () => {
  const letter = { ...GCC_DEFAULTS, groupsMax: 1 };

  test('signals over-use after 10 ms above the threshold, and not while the estimate falls', () => {
    const detector = new OveruseDetector(letter);
    expect(detector.update(13, delta(10, 8))).toBe('normal');
    expect(detector.update(14, delta(10, 8))).toBe('overuse');
    expect(detector.update(13.5, delta(10, 8))).toBe('normal');
    expect(detector.update(13.6, delta(10, 8))).toBe('overuse');
    expect(detector.update(0, delta(8, 8))).toBe('normal');
    expect(detector.update(14, delta(10, 8))).toBe('normal');
  });

  test('signals under-use below the negative threshold', () => {
    const detector = new OveruseDetector(letter);
    expect(detector.update(-13, delta(5, 5))).toBe('underuse');
    expect(detector.update(-12, delta(5, 5))).toBe('normal');
  });

  test('adapts the threshold by the draft’s equation: faster up than down', () => {
    const up = new OveruseDetector(letter);
    up.update(20, delta(10, 10));
    expect(up.threshold).toBeCloseTo(12.5 + 10 * 0.01 * (20 - 12.5), 12);
    const down = new OveruseDetector(letter);
    down.update(0, delta(10, 10));
    expect(down.threshold).toBeCloseTo(12.5 - 10 * 0.00018 * 12.5, 12);
  });

  test('does not adapt to estimates more than 15 ms above the threshold', () => {
    const detector = new OveruseDetector(letter);
    detector.update(28, delta(10, 10));
    expect(detector.threshold).toBe(12.5);
  });

  test('keeps the threshold from 6 to 600 ms, whatever is estimated', () => {
    const estimate = fc.double({ min: -1_000, max: 1_000, noNaN: true });
    fc.assert(
      fc.property(fc.array(fc.tuple(estimate, fc.nat(5_000)), { maxLength: 300 }), (groups) => {
        const detector = new OveruseDetector(letter);
        for (const [size, arrival] of groups) {
          detector.update(size, delta(arrival, 5));
          expect(detector.threshold).toBeGreaterThanOrEqual(6);
          expect(detector.threshold).toBeLessThanOrEqual(600);
        }
      }),
    );
  });
});

describe('the rate control (§5.5)', () => {
  const STATES: readonly RateState[] = ['hold', 'increase', 'decrease'];

  test('has the transitions of the draft', () => {
    const rows: readonly (readonly [PathUse, readonly RateState[]])[] = [
      ['overuse', ['decrease', 'decrease', 'decrease']],
      ['normal', ['increase', 'increase', 'hold']],
      ['underuse', ['hold', 'hold', 'hold']],
    ];
    for (const [use, expected] of rows) expect(STATES.map((state) => nextState(state, use))).toEqual(expected);
  });

  const round = span(50);

  test('grows by 8 % a second before it has been full', () => {
    const rate = new DelayBasedRate({ ...GCC_DEFAULTS, bitrateStart: 1e6 });
    for (let ms = 0; ms <= 1_000; ms += 50) rate.update(at(ms), 'normal', 1e6, round);
    expect(rate.estimate).toBeCloseTo(1.08e6, 0);
    rate.update(at(9_000), 'normal', 1.08e6, round);
    // A long interval counts as one second.
    expect(rate.estimate).toBeCloseTo(1.08e6 * 1.08, 0);
  });

  test('falls to 0.85 of what arrives, and then grows by half a packet in a response time', () => {
    const rate = new DelayBasedRate({ ...GCC_DEFAULTS, bitrateStart: 1e6 });
    rate.update(at(0), 'overuse', 900_000, round);
    expect([rate.estimate, rate.state]).toEqual([765_000, 'decrease']);
    rate.update(at(50), 'normal', 900_000, round);
    expect([rate.estimate, rate.state]).toEqual([765_000, 'hold']);
    rate.update(at(200), 'normal', 900_000, round);
    // 765 kb/s are 25,500 bits a frame in three packets: half of 8,500 bits.
    expect(rate.estimate).toBeCloseTo(765_000 + 4_250, 6);
  });

  test('grows fast again when more arrives than the average of the decreases explains', () => {
    const rate = new DelayBasedRate({ ...GCC_DEFAULTS, bitrateStart: 1e6 });
    rate.update(at(0), 'overuse', 900_000, round);
    rate.update(at(50), 'normal', 900_000, round);
    rate.update(at(1_050), 'normal', 1_500_000, round);
    expect(rate.estimate).toBeCloseTo(765_000 * 1.08, 0);
  });

  test('does not exceed one and a half times the incoming rate', () => {
    const rate = new DelayBasedRate({ ...GCC_DEFAULTS, bitrateStart: 1e6 });
    for (let ms = 0; ms <= 60_000; ms += 50) rate.update(at(ms), 'normal', 800_000, round);
    expect(rate.estimate).toBeCloseTo(1_200_000, 0);
  });

  test('stays finite and within its bounds, whatever happens', () => {
    const step = fc.record({
      passed: fc.nat(10_000),
      use: fc.constantFrom<PathUse>('normal', 'overuse', 'underuse'),
      incoming: fc.option(fc.double({ min: 0, max: 1e9, noNaN: true }), { nil: undefined }),
      round: fc.nat(5_000),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const options = { ...GCC_DEFAULTS, bitrateMin: 50_000, bitrateMax: 2e6 };
        const rate = new DelayBasedRate(options);
        let now = 0;
        for (const { passed, use, incoming, round: ms } of steps) {
          now += passed;
          const before = rate.estimate;
          rate.update(at(now), use, incoming, span(ms));
          expect(rate.estimate).toBeGreaterThanOrEqual(50_000);
          expect(rate.estimate).toBeLessThanOrEqual(2e6);
          if (use === 'overuse') expect(rate.estimate).toBeLessThanOrEqual(before);
          if (use === 'underuse') expect(rate.estimate).toBe(before);
        }
      }),
    );
  });
});

describe('the incoming rate (§5.5)', () => {
  test('is that of the last window, and unknown before', () => {
    const rate = new IncomingRate(span(500));
    for (let ms = 0; ms < 500; ms += 10) rate.onPacket(span(ms), 1_000);
    expect(rate.value).toBeUndefined();
    for (let ms = 500; ms < 1_000; ms += 10) rate.onPacket(span(ms), 1_000);
    expect(rate.value).toBe(800_000);
    rate.onPacket(microseconds(10_000_000), 1_000);
    expect(rate.value).toBe(16_000);
  });
});

describe('the loss-based control (§6)', () => {
  const report = (rate: LossBasedRate, ms: number, lost: number, target: number) =>
    rate.update(at(ms), 100, lost, target);
  const started = () => {
    const rate = new LossBasedRate({ ...GCC_DEFAULTS, bitrateStart: 1e6 });
    rate.update(at(0), 0, 0, 1e6);
    return rate;
  };

  test('grows by 5 % below 2 % of loss, holds up to 10 %, and falls by half the loss above', () => {
    const grown = started();
    report(grown, 200, 1, 1e6);
    expect(grown.estimate).toBeCloseTo(1.05e6, 6);
    for (const lost of [2, 6, 10]) {
      const held = started();
      report(held, 200, lost, 1e6);
      expect(held.estimate).toBe(1e6);
    }
    const fallen = started();
    report(fallen, 200, 40, 1e6);
    expect(fallen.estimate).toBeCloseTo(800_000, 6);
  });

  test('falls from the rate in use, when that is lower than its own estimate', () => {
    const rate = started();
    for (let ms = 200; ms <= 10_000; ms += 200) report(rate, ms, 0, 1e6);
    expect(rate.estimate).toBeGreaterThan(5e6);
    report(rate, 10_200, 50, 1e6);
    expect(rate.estimate).toBeCloseTo(750_000, 6);
  });
});
