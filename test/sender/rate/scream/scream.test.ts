import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { instant, microseconds, milliseconds } from '../../../../protocol/base/units.ts';
import { Scream } from '../../../../sender/rate/scream/scream.ts';
import { anyFeedback } from '../any-feedback.ts';
import { driveController, meanOf } from '../drive-controller.ts';

const SOURCE = { bitrateMin: 100_000, bitrateMax: 3_000_000 };

describe('SCReAM', () => {
  test('fills the capacity with a queue around its target', () => {
    const forward = 'rate=2Mbit delay=20ms queue=800ms';
    const run = driveController(new Scream(), { forward, seconds: 60, ...SOURCE });
    expect(meanOf(run, 'delivered', 20, 60)).toBeGreaterThan(1_850_000);
    expect(meanOf(run, 'delayMs', 20, 60)).toBeLessThan(25 + 200);
    expect(run.lostPackets).toBe(0);
  });

  test('never has more in flight than its window and a segment', () => {
    const controller = new Scream();
    const onSent = controller.onSent.bind(controller);
    let worst = 0;
    controller.onSent = (now, packet) => {
      const { window } = controller.state;
      onSent(now, packet);
      worst = Math.max(worst, controller.state.inFlight - window - 1_000 - packet.bytes);
    };
    driveController(controller, { forward: 'rate=1Mbit delay=50ms queue=300ms', seconds: 20, ...SOURCE });
    expect(worst).toBeLessThanOrEqual(0);
  });

  test('falls after marks before anything is lost (ECN, §4.1.2.1)', () => {
    const forward = 'rate=2Mbit delay=20ms queue=800ms';
    const mark = (waited: number) => (waited > 45_000 ? 'ce' : 'ect-0');
    const run = driveController(new Scream(), { forward, seconds: 60, mark, ...SOURCE });
    expect(meanOf(run, 'delayMs', 30, 60)).toBeLessThan(80);
    expect(meanOf(run, 'delivered', 30, 60)).toBeGreaterThan(1_400_000);
  });

  test('recovers from a three-second outage', () => {
    const forward = 'rate=2Mbit delay=20ms queue=300ms outage=20s-23s';
    const run = driveController(new Scream(), { forward, seconds: 40, ...SOURCE });
    expect(meanOf(run, 'delivered', 20.5, 22.9)).toBe(0);
    expect(meanOf(run, 'delivered', 35, 40)).toBeGreaterThan(1_000_000);
  });

  test('keeps sending at a low rate without any report', () => {
    const forward = 'rate=2Mbit delay=20ms queue=300ms';
    const run = driveController(new Scream(), { forward, seconds: 20, losesFeedback: () => true, ...SOURCE });
    expect(run.sentPackets).toBeGreaterThan(30);
    expect(meanOf(run, 'sent', 1, 20)).toBeLessThan(50_000);
  });

  test('is deterministic', () => {
    const once = () => {
      const forward = 'rate=2Mbit delay=20ms queue=300ms at 10s: rate=900kbit at 20s: rate=2500kbit';
      const run = driveController(new Scream({ bitrateStart: 1_000_000 }), { forward, seconds: 30, ...SOURCE });
      return run.samples.filter((_, index) => index % 30 === 29).map(({ target }) => Math.round(target / 1_000));
    };
    expect(once()).toEqual(once());
    expect(once()).toMatchInlineSnapshot(`
      [
        1560,
        2181,
        1950,
        451,
        620,
        1174,
        1038,
        1641,
        2113,
        2233,
      ]
    `);
  });

  test('stays finite and within its bounds with any feedback', () => {
    fc.assert(
      fc.property(anyFeedback, (reports) => {
        const controller = new Scream({ bitrateMin: 50_000, bitrateMax: 5e6 });
        let now = 0;
        for (const { passed, feedback } of reports) {
          now += passed;
          controller.onOffered(instant(milliseconds(now)), 5_000, 0);
          controller.onSent(instant(milliseconds(now)), feedback.packets[0]!);
          controller.onFeedback(instant(milliseconds(now)), feedback);
          const timeout = controller.pollTimeout();
          if (timeout !== undefined && passed % 2 === 0) controller.onTimeout(timeout);
          expect(controller.target).toBeGreaterThanOrEqual(50_000 / 8);
          expect(controller.target).toBeLessThanOrEqual(5e6 / 8);
          expect(Number.isFinite(controller.pacingRate)).toBe(true);
          expect(Number.isFinite(controller.windowBytes)).toBe(true);
          expect(controller.standingQueue).toBeGreaterThanOrEqual(microseconds(0));
        }
      }),
    );
  });
});
