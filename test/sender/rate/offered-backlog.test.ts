import { describe, expect, test } from 'vitest';
import { type Instant, instant, milliseconds, seconds } from '../../../protocol/base/units.ts';
import { OfferedBacklog } from '../../../sender/rate/offered-backlog.ts';

const at = (ms: number): Instant => instant(milliseconds(ms));

/** Offers 1,000 bytes every 10 ms (100 kB/s) to a path of a capacity that depends on the time. */
function backlogAfter(endMs: number, capacityAt: (ms: number) => number): OfferedBacklog {
  const backlog = new OfferedBacklog();
  for (let ms = 0; ms <= endMs; ms += 10) {
    backlog.onOffered(at(ms), 1_000);
    backlog.drain(at(ms), capacityAt(ms));
  }
  return backlog;
}

describe('the backlog of offered frames', () => {
  test('is empty while the path carries what is offered', () => {
    expect(backlogAfter(5_000, () => 100_001).length).toBeLessThan(milliseconds(11));
  });

  test('grows by half a second each second where the path carries half of what is offered', () => {
    const { length } = backlogAfter(4_000, () => 50_000);
    expect(length).toBeGreaterThan(milliseconds(1_980));
    expect(length).toBeLessThan(milliseconds(2_020));
  });

  test('of an outage drains at the excess capacity', () => {
    const outage = (ms: number) => (ms > 1_000 && ms <= 3_000 ? 0 : 200_000);
    expect(backlogAfter(3_000, outage).length).toBeGreaterThan(milliseconds(1_950));
    expect(backlogAfter(5_100, outage).length).toBeLessThan(milliseconds(20));
  });

  test('is at most ten seconds, so that it ends soon', () => {
    expect(backlogAfter(60_000, () => 0).length).toBeLessThan(seconds(10) + 1);
  });

  test('is short in time when much more is offered than on average', () => {
    const backlog = new OfferedBacklog();
    for (let ms = 0; ms <= 5_000; ms += 10) backlog.onOffered(at(ms), 50);
    backlog.drain(at(0), 0);
    backlog.drain(at(5_000), 100_000);
    // Twenty times as much for a second.
    for (let ms = 5_010; ms <= 6_000; ms += 10) backlog.onOffered(at(ms), 1_000);
    expect(backlog.rate).toBeGreaterThan(80_000);
    expect(backlog.length).toBeLessThan(milliseconds(1_300));
  });

  test('is not negative after a pause', () => {
    const backlog = backlogAfter(1_000, () => 100_000);
    backlog.drain(at(10_000), 100_000);
    expect(backlog.length).toBe(0);
  });
});
