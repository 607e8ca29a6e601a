import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { instant } from '../../../protocol/base/units.ts';
import { UDP_IP_HEADER_BYTES } from '../../../protocol/ip-packet.ts';
import { CapacityCurve } from '../../../sim/link/capacity-curve.ts';
import { Link } from '../../../sim/link/link.ts';
import { at, linkOf } from './links.ts';

describe('the capacity curve', () => {
  test('of a constant rate is a straight line', () => {
    const curve = CapacityCurve.of(linkOf('rate=8Mbit delay=20ms queue=100ms'))!;
    expect(curve.before(at(0))).toBe(0);
    expect(curve.through(at(1_000))).toBe(1_000_000);
    expect(curve.delay).toBe(20_000);
  });

  test('of a trace counts the opportunities, and loops at the end', () => {
    const curve = CapacityCurve.of(linkOf('trace=x', '0\n2\n2\n5\n'))!;
    const opportunities = (ms: number) => [curve.before(at(ms)) / 1_504, curve.through(at(ms)) / 1_504];
    expect([0, 1, 2, 5, 6, 7, 10].map(opportunities)).toEqual([
      [0, 1],
      [1, 1],
      [1, 3],
      [3, 5],
      [5, 5],
      [5, 7],
      [7, 9],
    ]);
  });

  test('follows timed changes, and is flat in an outage', () => {
    const curve = CapacityCurve.of(
      linkOf('rate=8Mbit queue=1s delay=50ms outage=2s-3s at 4s: rate=800kbit delay=10ms'),
    )!;
    expect(curve.through(at(2_000))).toBe(2_000_000);
    expect(curve.through(at(3_000))).toBe(2_000_000);
    expect(curve.through(at(4_000))).toBe(3_000_000);
    expect(curve.through(at(6_000))).toBe(3_200_000);
    expect(curve.delay).toBe(10_000);
  });

  test('does not exist for a link that never limits the rate', () => {
    expect(CapacityCurve.of(linkOf('loss=2% delay=20ms'))).toBeUndefined();
  });

  test('equals what a link with a full queue carries', () => {
    const times = fc.array(fc.nat(40), { minLength: 1, maxLength: 30 }).map((all) => {
      const sorted = all.sort((one, other) => one - other);
      return sorted.at(-1) === 0 ? [...sorted, 1] : sorted;
    });
    fc.assert(
      fc.property(times, fc.integer({ min: 50, max: 1_400 }), (opportunities, bytes) => {
        const specification = linkOf('trace=x queue=10s', `${opportunities.join('\n')}\n`);
        const curve = CapacityCurve.of(specification)!;
        const link = new Link(specification, 'forward');
        const sent = 100;
        for (let i = 0; i < sent; i++) link.send(instant(0), new Uint8Array(bytes));
        for (let packet = 1; packet <= sent; packet++) {
          const due = link.pollTimeout()!;
          expect(link.pollDelivery(due)).toHaveLength(bytes);
          const carried = packet * (bytes + UDP_IP_HEADER_BYTES);
          expect(curve.through(due)).toBeGreaterThanOrEqual(carried);
          expect(curve.before(due)).toBeLessThan(carried);
        }
      }),
      { numRuns: 25 },
    );
  });
});
