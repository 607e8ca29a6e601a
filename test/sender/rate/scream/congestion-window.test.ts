import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Instant, instant, type Microseconds, milliseconds } from '../../../../protocol/base/units.ts';
import type { PacketReport } from '../../../../sender/rate/rate-controller.ts';
import { CongestionWindow } from '../../../../sender/rate/scream/congestion-window.ts';
import { LossDetector } from '../../../../sender/rate/scream/loss-detector.ts';
import { MediaRate } from '../../../../sender/rate/scream/media-rate.ts';
import { QueueingDelay } from '../../../../sender/rate/scream/queueing-delay.ts';
import { QueueingDelayTarget, QueueingTrend } from '../../../../sender/rate/scream/queueing-trend.ts';
import { SCREAM_DEFAULTS } from '../../../../sender/rate/scream/scream-options.ts';

const at = (ms: number): Instant => instant(milliseconds(ms));
const span = (ms: number): Microseconds => milliseconds(ms);

describe('the congestion window (RFC 8298 §4.1.2)', () => {
  /** Acknowledges everything in flight. */
  const acknowledge = (
    window: CongestionWindow,
    ms: number,
    given: { readonly delay?: number; readonly lost?: boolean; readonly marked?: boolean } = {},
  ) =>
    window.onFeedback(at(ms), {
      delay: span(given.delay ?? 0),
      inFlight: 0,
      roundTrip: span(50),
      lost: given.lost ?? false,
      marked: given.marked ?? false,
    });

  test('grows by the bytes acknowledged in fast increase, when it is used', () => {
    const window = new CongestionWindow(SCREAM_DEFAULTS);
    window.onSent(at(0), 3_000);
    expect(acknowledge(window, 50)).toBe(false);
    expect(window.bytes).toBe(6_000);
    window.onSent(at(60), 2_000);
    acknowledge(window, 110);
    // 2,000 · 1.5 + 2,000 does not exceed it: the source uses too little of it.
    expect(window.bytes).toBe(6_000);
  });

  test('falls to 0.8 after a loss and to 0.9 after a mark, at most once in a round trip, and ends the fast increase', () => {
    for (const [event, factor] of [
      [{ lost: true }, 0.8],
      [{ marked: true }, 0.9],
    ] as const) {
      const window = new CongestionWindow({ ...SCREAM_DEFAULTS, windowMin: 1_000 });
      for (let ms = 0; ms < 500; ms += 50) {
        window.onSent(at(ms), window.bytes);
        acknowledge(window, ms + 40);
      }
      const before = window.bytes;
      window.onSent(at(500), before);
      expect(acknowledge(window, 550, event)).toBe(true);
      expect(window.bytes).toBeCloseTo(before * factor, 6);
      expect(window.inFastIncrease).toBe(false);
      window.onSent(at(551), 1_000);
      expect(acknowledge(window, 570, event)).toBe(false);
      window.onSent(at(571), 1_000);
      expect(acknowledge(window, 601, event)).toBe(true);
    }
  });

  test('shrinks while the queueing delay is above its target, and grows below it', () => {
    const window = new CongestionWindow({ ...SCREAM_DEFAULTS, queueDelayTargetMax: span(100) });
    for (let ms = 0; ms < 500; ms += 50) {
      window.onSent(at(ms), window.bytes);
      acknowledge(window, ms + 40);
    }
    acknowledge(window, 540, { lost: true });
    const size = () => window.bytes;
    window.onSent(at(600), size());
    const before = size();
    acknowledge(window, 700, { delay: 300 });
    // Off target by −2: GAIN · −2 · acknowledged · MSS / cwnd.
    expect(window.bytes).toBeCloseTo(before - 2_000, 3);
    window.onSent(at(750), size());
    const lower = size();
    acknowledge(window, 800, { delay: 50 });
    expect(window.bytes).toBeCloseTo(lower + 500, 3);
  });

  test('leaves room for one more segment while the delay is below its target, and none above', () => {
    const window = new CongestionWindow({ ...SCREAM_DEFAULTS, queueDelayTargetMax: span(100) });
    window.onSent(at(0), 2_000);
    expect(window.room).toBe(3_000 + 1_000 - 2_000);
    acknowledge(window, 50, { delay: 150 });
    window.onSent(at(51), 2_000);
    expect(window.room).toBe(window.bytes - 2_000);
  });

  test('resumes the fast increase after five seconds without a trend', () => {
    const window = new CongestionWindow(SCREAM_DEFAULTS);
    window.onSent(at(0), 3_000);
    acknowledge(window, 50, { lost: true });
    for (let ms = 100; ms <= 5_000; ms += 50) {
      window.onSent(at(ms), 1_000);
      acknowledge(window, ms + 40);
    }
    expect(window.inFastIncrease).toBe(false);
    window.onSent(at(5_100), 1_000);
    acknowledge(window, 5_200);
    expect(window.inFastIncrease).toBe(true);
  });

  test('is never below its minimum and always finite', () => {
    const step = fc.record({
      passed: fc.nat(2_000),
      sent: fc.nat(100_000),
      left: fc.nat(1_000_000),
      delay: fc.nat(3_000),
      lost: fc.boolean(),
      marked: fc.boolean(),
      silent: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
        const window = new CongestionWindow(SCREAM_DEFAULTS);
        let now = 0;
        for (const { passed, sent, left, delay, lost, marked, silent } of steps) {
          now += passed;
          window.onSent(at(now), sent);
          if (silent) window.onSilence();
          const feedback = { delay: span(delay), inFlight: left, roundTrip: span(50), lost, marked };
          window.onFeedback(at(now), feedback);
          expect(window.bytes).toBeGreaterThanOrEqual(3_000);
          expect(Number.isFinite(window.bytes)).toBe(true);
          expect(window.queueingDelayTarget).toBeGreaterThanOrEqual(100_000);
          expect(window.queueingDelayTarget).toBeLessThanOrEqual(400_000);
          expect(window.trend.value).toBeGreaterThanOrEqual(0);
          expect(window.trend.value).toBeLessThanOrEqual(1);
        }
      }),
    );
  });
});

describe('the queueing delay', () => {
  test('is the one-way delay above the least of ten minutes (RFC 6817 §3.4.2)', () => {
    const delay = new QueueingDelay();
    expect(delay.onPacket(at(0), at(0), span(1_020))).toBe(0);
    expect(delay.onPacket(at(10), at(10), span(1_070))).toBe(40_000);
    expect(delay.onPacket(at(20), at(20), span(1_030))).toBe(0);
    // A longer route becomes the base when the minutes of the shorter one are forgotten.
    for (let minute = 1; minute <= 10; minute++) {
      const ms = minute * 60_000;
      expect(delay.onPacket(at(ms), at(ms), span(ms + 1_060))).toBe(minute < 10 ? 50_000 : 0);
    }
  });

  test('has a trend while it grows, and none while it jitters', () => {
    const grows = new QueueingTrend(0.1);
    const jitters = new QueueingTrend(0.1);
    for (let sample = 0; sample < 40; sample++) {
      grows.update(at(sample * 50), span(sample * 4), span(100));
      jitters.update(at(sample * 50), span(sample % 2 === 0 ? 0 : 160), span(100));
    }
    expect(grows.value).toBeGreaterThan(0.5);
    expect(jitters.value).toBe(0);
    expect(grows.peak).toBeGreaterThanOrEqual(grows.value);
  });

  test('has a target that follows a steady queue of another flow, and returns when it is gone (§4.1.2.3)', () => {
    const target = new QueueingDelayTarget(span(100), span(400));
    for (let i = 0; i < 300; i++) target.update(span(250 + (i % 2)), 0);
    expect(target.value).toBeGreaterThan(240_000);
    expect(target.value).toBeLessThan(270_000);
    for (let i = 0; i < 300; i++) target.update(span(10), 0);
    expect(target.value).toBe(100_000);
    for (let i = 0; i < 300; i++) target.update(span(380), 0.05);
    expect(target.value).toBe(400_000);
  });
});

describe('lost packet detection (RFC 8298 §4.1.2.4)', () => {
  const report = (number: number, arrived: boolean): PacketReport => ({
    number,
    bytes: 1_000,
    kind: 'media',
    sentAt: at(0),
    arrivedAt: arrived ? span(20) : undefined,
    mark: 'not-ect',
  });

  test('waits for as long as packets have been reordered', () => {
    const losses = new LossDetector();
    expect(losses.onReports(at(0), [report(1, false), report(2, true)])).toBe(1);
    const other = new LossDetector();
    expect(other.onReports(at(0), [report(1, false)])).toBe(1);
    expect(other.reorderingWindow).toBe(0);
  });

  test('learns the reordering window from packets that come after all', () => {
    const losses = new LossDetector();
    losses.onReports(at(0), [report(1, false)]);
    losses.onReports(at(30), [report(1, true)]);
    expect(losses.reorderingWindow).toBe(30_000);
    expect(losses.onReports(at(100), [report(5, false)])).toBe(0);
    expect(losses.onReports(at(120), [report(5, true)])).toBe(0);
    expect(losses.onReports(at(200), [report(9, false)])).toBe(0);
    expect(losses.onReports(at(231), [report(10, true)])).toBe(1);
  });
});

describe('the media rate (RFC 8298 §4.1.3)', () => {
  const calm = { queuedBits: 0, inFastIncrease: true, trend: 0, trendPeak: 0 };
  /** Sends at the target for this time, in steps of 100 ms. */
  const run = (rate: MediaRate, from: number, until: number, state = calm) => {
    for (let ms = from; ms <= until; ms += 100) {
      const bytes = rate.target / 80;
      rate.onOffered(bytes);
      rate.onSent(bytes);
      rate.onReported(bytes);
      rate.update(at(ms), state);
    }
  };

  test('ramps up by 200 kb/s in a second, and by at most half of itself', () => {
    const rate = new MediaRate({ ...SCREAM_DEFAULTS, bitrateStart: 1_000_000 });
    run(rate, 0, 2_000);
    expect(rate.target).toBeCloseTo(1_400_000, -4);
    const slow = new MediaRate({ ...SCREAM_DEFAULTS, bitrateStart: 100_000 });
    run(slow, 0, 1_000);
    expect(slow.target).toBeLessThan(170_000);
  });

  test('falls by the factor of the event at once, and then grows slowly near the rate of the last congestion', () => {
    const rate = new MediaRate({ ...SCREAM_DEFAULTS, bitrateStart: 1_000_000 });
    rate.onCongestion(0.9);
    expect(rate.target).toBe(900_000);
    const before = rate.target;
    run(rate, 0, 1_000);
    // A fifth of the ramp.
    expect(rate.target - before).toBeLessThan(50_000);
  });

  test('falls while frames wait in the sender', () => {
    const rate = new MediaRate({ ...SCREAM_DEFAULTS, bitrateStart: 1_000_000 });
    run(rate, 0, 1_000, { ...calm, inFastIncrease: false, queuedBits: 200_000, trend: 0.3 });
    expect(rate.target).toBeLessThan(1_000_000);
  });

  test('does not exceed twice what is sent and offered', () => {
    const rate = new MediaRate({ ...SCREAM_DEFAULTS, bitrateStart: 1_000_000 });
    for (let ms = 0; ms <= 60_000; ms += 100) {
      rate.onOffered(6_250);
      rate.onSent(6_250);
      rate.update(at(ms), calm);
    }
    expect(rate.target).toBeLessThanOrEqual(1_000_000 * (1 + 1e-9));
  });
});
