import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Instant, instant, type Microseconds, milliseconds } from '../../../../protocol/base/units.ts';
import { type ReferenceFeedback, ReferenceWindow } from '../../../../sender/rate/scream/reference-window.ts';
import { Scream2 } from '../../../../sender/rate/scream/scream2.ts';
import { SCREAM2_DEFAULTS } from '../../../../sender/rate/scream/scream2-options.ts';
import { anyFeedback } from '../any-feedback.ts';
import { driveController, meanOf } from '../drive-controller.ts';

const at = (ms: number): Instant => instant(milliseconds(ms));
const span = (ms: number): Microseconds => milliseconds(ms);
const SOURCE = { bitrateMin: 100_000, bitrateMax: 3_000_000 };

describe('the reference window (§4.2)', () => {
  const CALM: ReferenceFeedback = {
    delay: span(0),
    inFlight: 0,
    roundTrip: span(50),
    lost: false,
    packets: 5,
    marked: 0,
    markedBytes: 0,
    scalable: false,
    targetBitrate: 1_000_000,
  };

  /** A window after four seconds of full use without congestion. */
  const grown = (): ReferenceWindow => {
    const window = new ReferenceWindow(SCREAM2_DEFAULTS);
    for (let ms = 0; ms < 4_000; ms += 50) {
      window.onSent(window.bytes);
      window.onFeedback(at(ms + 40), CALM);
    }
    return window;
  };

  test('grows by a segment in a round trip and a share of itself', () => {
    const window = new ReferenceWindow(SCREAM2_DEFAULTS);
    window.onSent(3_000);
    window.onFeedback(at(50), CALM);
    expect(window.bytes).toBeCloseTo(3_000 + 1_000 * (1 + 0.06), 6);
  });

  test.each([
    ['a loss', { lost: true }, 0.7],
    ['a mark', { marked: 1, markedBytes: 1_000 }, 0.8],
    ['a queue at its target', { delay: span(60) }, 1],
  ])('falls after %s, at most once in a round trip', (_name, event, factor) => {
    const window = grown();
    const before = window.bytes;
    window.onFeedback(at(4_100), { ...CALM, ...event });
    // The average of the delay rises slowly, so a single sample of a long queue takes nothing yet.
    expect(window.bytes).toBeCloseTo(before * factor, 6);
    const after = window.bytes;
    window.onFeedback(at(4_110), { ...CALM, ...event });
    expect(window.bytes).toBeCloseTo(after, 6);
  });

  test('falls by half of the share of marks on a path for scalable controls', () => {
    const window = grown();
    for (let ms = 4_000; ms < 8_000; ms += 50) {
      window.onSent(window.bytes);
      window.onFeedback(at(ms + 40), { ...CALM, scalable: true, marked: 1, markedBytes: 1_000 });
    }
    const before = window.bytes;
    window.onFeedback(at(8_100), { ...CALM, scalable: true, marked: 1, markedBytes: 1_000 });
    // A fifth of the packets is marked: a tenth less, and not more than that is taken at once.
    expect(window.bytes / before).toBeGreaterThan(0.88);
    expect(window.bytes / before).toBeLessThan(0.93);
  });

  test('is never below its minimum and always finite', () => {
    const step = fc.record({
      passed: fc.nat(2_000),
      sent: fc.nat(100_000),
      inFlight: fc.nat(1_000_000),
      delay: fc.nat(3_000),
      roundTrip: fc.integer({ min: 1, max: 3_000 }),
      lost: fc.boolean(),
      packets: fc.nat(50),
      scalable: fc.boolean(),
      silent: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
        const window = new ReferenceWindow(SCREAM2_DEFAULTS);
        let now = 0;
        for (const { passed, sent, delay, roundTrip, packets, silent, ...feedback } of steps) {
          now += passed;
          window.onSent(sent);
          if (silent) window.onSilence();
          const marked = packets >> 1;
          window.onFeedback(at(now), {
            ...CALM,
            ...feedback,
            packets,
            marked,
            markedBytes: marked * 1_000,
            delay: span(delay),
            roundTrip: span(roundTrip),
          });
          expect(window.bytes).toBeGreaterThanOrEqual(3_000);
          expect(Number.isFinite(window.bytes)).toBe(true);
          expect(window.queueingDelayTarget).toBeGreaterThanOrEqual(60_000);
          expect(window.queueingDelayTarget).toBeLessThanOrEqual(400_000);
        }
      }),
    );
  });
});

describe('SCReAMv2', () => {
  test('fills the capacity with a shorter queue than its predecessor', () => {
    const forward = 'rate=2Mbit delay=20ms queue=800ms';
    const run = driveController(new Scream2(), { forward, seconds: 40, ...SOURCE });
    expect(meanOf(run, 'delivered', 15, 40)).toBeGreaterThan(1_800_000);
    expect(meanOf(run, 'delayMs', 15, 40)).toBeLessThan(90);
    expect(run.lostPackets).toBe(0);
  });

  test('keeps the queue to the marking threshold of an L4S path', () => {
    const forward = 'rate=2Mbit delay=20ms queue=800ms';
    const mark = (waited: number) => (waited > 30_000 ? 'ce' : 'ect-1');
    const run = driveController(new Scream2(), { forward, seconds: 40, mark, ...SOURCE });
    expect(meanOf(run, 'delayMs', 15, 40)).toBeLessThan(50);
    expect(meanOf(run, 'delivered', 15, 40)).toBeGreaterThan(1_300_000);
  });

  test('recovers from a three-second outage', () => {
    const forward = 'rate=2Mbit delay=20ms queue=300ms outage=20s-23s';
    const run = driveController(new Scream2(), { forward, seconds: 35, ...SOURCE });
    expect(meanOf(run, 'delivered', 30, 35)).toBeGreaterThan(1_000_000);
  });

  test('is deterministic', () => {
    const once = () => {
      const forward = 'rate=2Mbit delay=20ms queue=300ms at 10s: rate=900kbit at 20s: rate=2500kbit';
      const run = driveController(new Scream2({ bitrateStart: 1_000_000 }), { forward, seconds: 30, ...SOURCE });
      return run.samples.filter((_, index) => index % 30 === 29).map(({ target }) => Math.round(target / 1_000));
    };
    expect(once()).toEqual(once());
    expect(once()).toMatchInlineSnapshot(`
      [
        2024,
        1999,
        1810,
        788,
        958,
        1039,
        2022,
        2333,
        2385,
        2742,
      ]
    `);
  });

  test('stays finite and within its bounds with any feedback', () => {
    fc.assert(
      fc.property(anyFeedback, (reports) => {
        const controller = new Scream2({ bitrateMin: 50_000, bitrateMax: 5e6 });
        let now = 0;
        for (const { passed, feedback } of reports) {
          now += passed;
          controller.onOffered(at(now), 5_000, 0);
          controller.onSent(at(now), feedback.packets[0]!);
          controller.onFeedback(at(now), feedback);
          const timeout = controller.pollTimeout();
          if (timeout !== undefined && passed % 2 === 0) controller.onTimeout(timeout);
          expect(controller.target).toBeGreaterThanOrEqual(50_000 / 8);
          expect(controller.target).toBeLessThanOrEqual(5e6 / 8);
          expect(Number.isFinite(controller.windowBytes)).toBe(true);
        }
      }),
    );
  });
});
