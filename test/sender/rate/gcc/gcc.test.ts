import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { instant, milliseconds } from '../../../../protocol/base/units.ts';
import { Gcc } from '../../../../sender/rate/gcc/gcc.ts';
import { anyFeedback } from '../any-feedback.ts';
import { driveController, meanOf } from '../drive-controller.ts';

const SOURCE = { bitrateMin: 100_000, bitrateMax: 3_000_000 };

describe('GCC', () => {
  test('oscillates just below the capacity with a short queue', () => {
    const controller = new Gcc({ bitrateStart: 1_000_000 });
    const run = driveController(controller, { forward: 'rate=2Mbit delay=20ms queue=500ms', seconds: 60, ...SOURCE });
    expect(meanOf(run, 'delivered', 20, 60)).toBeGreaterThan(1_700_000);
    expect(meanOf(run, 'delivered', 20, 60)).toBeLessThan(2_000_000);
    expect(Math.max(...run.samples.filter(({ at }) => at > 20).map(({ delayMs }) => delayMs))).toBeLessThan(100);
    expect(run.lostPackets).toBe(0);
  });

  test('falls within a second of a lower capacity, and drains the queue', () => {
    const controller = new Gcc({ bitrateStart: 1_000_000 });
    const forward = 'rate=2500kbit delay=50ms queue=300ms at 30s: rate=600kbit';
    const run = driveController(controller, { forward, seconds: 50, ...SOURCE });
    expect(meanOf(run, 'target', 31, 32)).toBeLessThan(600_000);
    expect(meanOf(run, 'delayMs', 33, 50)).toBeLessThan(130);
    expect(meanOf(run, 'delivered', 40, 50)).toBeGreaterThan(420_000);
  });

  test('falls by loss where the queue is too short to show in the delay', () => {
    const controller = new Gcc({ bitrateStart: 2_000_000 });
    const run = driveController(controller, { forward: 'rate=1Mbit delay=20ms queue=1p', seconds: 20, ...SOURCE });
    expect(meanOf(run, 'target', 10, 20)).toBeLessThan(1_300_000);
  });

  test('is not moved by random loss below 2 %', () => {
    const controller = new Gcc({ bitrateStart: 1_000_000 });
    const run = driveController(controller, { forward: 'loss=1% delay=20ms', seconds: 20, ...SOURCE });
    expect(meanOf(run, 'target', 15, 20)).toBeGreaterThan(2_500_000);
  });

  test('is deterministic', () => {
    const once = () => {
      const forward = 'rate=2Mbit delay=20ms queue=300ms at 10s: rate=900kbit at 20s: rate=2500kbit';
      const run = driveController(new Gcc({ bitrateStart: 1_000_000 }), { forward, seconds: 30, ...SOURCE });
      return run.samples.filter((_, index) => index % 30 === 29).map(({ target }) => Math.round(target / 1_000));
    };
    expect(once()).toEqual(once());
    expect(once()).toMatchInlineSnapshot(`
      [
        1252,
        1577,
        1985,
        760,
        875,
        934,
        846,
        926,
        1110,
        1399,
      ]
    `);
  });

  test('stays finite and within its bounds with any feedback', () => {
    fc.assert(
      fc.property(anyFeedback, (reports) => {
        const controller = new Gcc({ bitrateMin: 50_000, bitrateMax: 5e6 });
        let now = 0;
        for (const { passed, feedback } of reports) {
          now += passed;
          controller.onFeedback(instant(milliseconds(now)), feedback);
          expect(controller.target).toBeGreaterThanOrEqual(50_000 / 8);
          expect(controller.target).toBeLessThanOrEqual(5e6 / 8);
          expect(Number.isFinite(controller.state.threshold)).toBe(true);
        }
      }),
    );
  });
});
