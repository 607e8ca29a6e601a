import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { instant, microseconds } from '../../protocol/base/units.ts';
import { RECOVERIES } from '../../protocol/control/recovery.ts';
import { Receiver } from '../../receiver/receiver.ts';
import { networkFault, withFaults } from '../io/sources/faults.ts';
import { RECEIVER_OPTIONS } from '../simulated-session.ts';
import { FRAME_TICKS, packet, retransmissionOf, Stage } from './stage.ts';

const RELEASES = ['deadline', 'asap'] as const;
const MODES = RECOVERIES.flatMap((recovery) => RELEASES.map((release) => ({ recovery, release })));

describe.each(MODES)('recovery $recovery, release $release', ({ recovery, release }) => {
  test('balances after a packet with a wrong timestamp and two of its frame in swapped order', () => {
    const stage = new Stage({ recovery, release, latency: microseconds(20_000) });
    const of = { frame: 120, count: 13 };
    stage.arrive(3_990, packet({ ...of, index: 7, sequence: 115, timestamp: 127 * FRAME_TICKS + 1 }));
    stage.arrive(4_000, packet({ ...of, index: 10, sequence: 118 }), packet({ ...of, index: 8, sequence: 116 }));
    stage.until(6_000).finish(6_000);
    expect(() => stage.receiver.assertBalanced()).not.toThrow();
    expect(stage.receiver.statistics.frames.incomplete).toBe(1);
  });

  test('balances on arbitrary datagrams, and decode times never decrease', () => {
    fc.assert(
      fc.property(fc.boolean(), fc.array(burst, { maxLength: 12 }), (mark, bursts) => {
        const stage = new Stage({ recovery, release, latency: microseconds(20_000), frameMarks: mark });
        let ms = 0;
        for (const { pause, frame, count, packets } of bursts) {
          ms += pause;
          for (const { index, shift, skew, repeated, importance, empty } of packets) {
            const datagram = packet({
              frame,
              count,
              index: index % count,
              sequence: frame * 6 + (index % count) + shift,
              timestamp: frame * FRAME_TICKS + skew,
              mark,
              ...(importance && { importance }),
              ...(empty && { payload: new Uint8Array(0) }),
            });
            // The stage asserts the balance and the order of decode times after each datagram.
            stage.arrive(ms, repeated ? retransmissionOf(datagram) : datagram);
          }
        }
        stage.end(ms + 1, 6, 35);
        stage
          .until(ms + 5_000)
          .finish(ms + 5_000)
          .until(ms + 5_000);
      }),
      { numRuns: 100 },
    );
  });
});

/** Packets of one of six frames at one instant. Few values, so that some agree on a false one. */
const burst = fc.record({
  pause: fc.nat(60),
  frame: fc.nat(5),
  count: fc.constantFrom(6, 6, 6, 9),
  packets: fc.array(
    fc.record({
      index: fc.nat(8),
      shift: fc.constantFrom(0, 0, 0, 0, 0, 0, 2, -3, 300),
      skew: fc.constantFrom(0, 0, 0, 2 * FRAME_TICKS, -2 * FRAME_TICKS),
      repeated: fc.constantFrom(false, false, false, false, true),
      importance: fc.constantFrom(undefined, undefined, undefined, 'key' as const, 'discardable' as const),
      empty: fc.constantFrom(false, false, false, false, false, false, true),
    }),
    { minLength: 1, maxLength: 6 },
  ),
});

withFaults('balances after three datagrams that once ended the process', () => {
  const recorded = JSON.parse(readFileSync(networkFault('three-datagrams-unbalanced.json'), 'utf8'));
  const receiver = new Receiver({ ...RECEIVER_OPTIONS, ...recorded.options });
  for (const { at, hex } of recorded.datagrams) {
    receiver.handleDatagram(instant(at), Buffer.from(hex, 'hex'));
    while (receiver.pollEvent());
    receiver.assertBalanced();
  }
  receiver.finish(instant(recorded.datagrams.at(-1).at + 1_000_000));
  receiver.assertBalanced();
  expect(receiver.statistics.frames.decided).toBeGreaterThan(0);
});
