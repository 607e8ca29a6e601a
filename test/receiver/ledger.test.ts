import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { instant, ticks } from '../../protocol/base/units.ts';
import type { FrameClass } from '../../protocol/frame-class.ts';
import { asSequence } from '../../protocol/rtp/sequence.ts';
import type { PacketArrival, PendingFrame } from '../../receiver/frames/frame-buffer.ts';
import { Ledger } from '../../receiver/ledger.ts';

/** A frame of this many packets, of which those in `held` have arrived. */
function frame(
  firstSequence: number,
  count: number,
  held: readonly number[],
  arrival: PacketArrival = 'on-time',
): PendingFrame {
  return {
    number: 0,
    timestamp: ticks(0),
    decodeTimestamp: ticks(0),
    followsGap: false,
    importance: 'reference',
    firstSequence: asSequence(firstSequence),
    lastSequence: asSequence(firstSequence + count - 1),
    newestSequence: asSequence(firstSequence + Math.max(...held)),
    receivedPackets: held.length,
    receivedBytes: 0,
    complete: held.length === count,
    lastArrivalAt: instant(0),
    arrivals: held.map(() => arrival),
    payloads: () => [],
    missing: (through = asSequence(firstSequence + count - 1)) =>
      Array.from({ length: count }, (_, index) => asSequence(firstSequence + index)).filter(
        (sequence, index) => !held.includes(index) && sequence <= through,
      ),
  };
}

const whole = (firstSequence: number, count: number, arrival: PacketArrival = 'on-time'): PendingFrame =>
  frame(
    firstSequence,
    count,
    Array.from({ length: count }, (_, index) => index),
    arrival,
  );

test('each packet of a decided frame is in one class', () => {
  const ledger = new Ledger();
  ledger.startAt(asSequence(10));
  ledger.decide(whole(10, 3), 'onTime');
  ledger.decide(whole(13, 2, 'reordered'), 'onTime');
  ledger.decide(whole(15, 2, { recoveredInRound: 2 }), 'recovered');
  ledger.decide(frame(17, 4, [0, 2]), 'incomplete');
  ledger.decide(whole(21, 1, 'repaired'), 'recovered');
  ledger.assertBalanced();
  expect(ledger.packets).toEqual({
    onTime: 5,
    reordered: 2,
    recoveredInRound: [0, 2, 0, 0, 0, 0, 0, 0],
    repaired: 1,
    late: 0,
    neverArrived: 2,
  });
  expect(ledger.frames).toEqual({
    onTime: 2,
    recovered: 2,
    late: 0,
    mended: 0,
    overdue: 0,
    incomplete: 1,
    neverArrived: 0,
    undecodable: 0,
  });
  expect([ledger.decidedFrames, ledger.decidedPackets]).toEqual([5, 12]);
});

test('a dropped frame is overdue, not lost, once all of its missing packets have arrived', () => {
  const ledger = new Ledger();
  ledger.startAt(asSequence(10));
  ledger.decide(frame(10, 4, [0, 2]), 'incomplete');
  ledger.enterLate(asSequence(11));
  expect(ledger.frames).toMatchObject({ incomplete: 1, overdue: 0 });
  ledger.enterLate(asSequence(13));
  expect(ledger.frames).toMatchObject({ incomplete: 0, overdue: 1 });
  expect(ledger.packets).toMatchObject({ onTime: 2, late: 2, neverArrived: 0 });
  ledger.assertBalanced();
});

test('packets between two frames, and before the first, never arrived', () => {
  const ledger = new Ledger();
  ledger.startAt(asSequence(10));
  ledger.decide(whole(12, 2), 'onTime');
  ledger.decideMissing(3);
  ledger.decide(whole(20, 1), 'onTime');
  ledger.decidePacketsThrough(asSequence(22));
  ledger.assertBalanced();
  expect(ledger.packets).toMatchObject({ onTime: 3, neverArrived: 10 });
  expect(ledger.decidedPackets).toBe(13);
  expect(ledger.frames.neverArrived).toBe(3);
});

describe('a late packet', () => {
  test('leaves the class of missing ones, once', () => {
    const ledger = new Ledger();
    ledger.decide(frame(0, 3, [0, 2]), 'incomplete');
    expect(ledger.enterLate(asSequence(1))).toBe(true);
    expect(ledger.enterLate(asSequence(1))).toBe(false);
    expect(ledger.packets).toMatchObject({ onTime: 2, late: 1, neverArrived: 0 });
    ledger.assertBalanced();
  });

  test('that was not missing is a duplicate', () => {
    const ledger = new Ledger();
    ledger.decide(whole(0, 3), 'onTime');
    expect([0, 2, 3, -1].map((sequence) => ledger.enterLate(asSequence(sequence)))).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });

  test('that was missing too long ago counts as a duplicate', () => {
    const ledger = new Ledger();
    ledger.startAt(asSequence(0));
    ledger.decidePacketsThrough(asSequence(20_000));
    expect(ledger.enterLate(asSequence(5))).toBe(false);
    expect(ledger.enterLate(asSequence(20_000))).toBe(true);
    expect(ledger.packets).toMatchObject({ neverArrived: 20_000, late: 1 });
    ledger.assertBalanced();
  });
});

test('of a frame that claims more missing packets than are remembered, the newest are', () => {
  const ledger = new Ledger();
  ledger.startAt(asSequence(0));
  ledger.decide(frame(0, 60_000, [0, 59_999]), 'incomplete');
  ledger.assertBalanced();
  expect(ledger.packets).toMatchObject({ onTime: 2, neverArrived: 59_998 });
  expect(ledger.enterLate(asSequence(1))).toBe(false);
  expect(ledger.enterLate(asSequence(59_998))).toBe(true);
  ledger.assertBalanced();
});

test('a packet outside any frame is entered with the packets around it', () => {
  const ledger = new Ledger();
  ledger.startAt(asSequence(0));
  expect(ledger.noteLoose(asSequence(1), 'on-time')).toBe(true);
  expect(ledger.noteLoose(asSequence(2), 'late')).toBe(true);
  expect(ledger.noteLoose(asSequence(2), 'late')).toBe(false);
  expect(ledger.decidedPackets).toBe(0);
  ledger.decide(whole(4, 1), 'onTime');
  expect(ledger.packets).toMatchObject({ onTime: 2, late: 1, neverArrived: 2 });
  expect(ledger.noteLoose(asSequence(3), 'on-time')).toBe(false);
  ledger.assertBalanced();
});

test('packets announced beyond the newest one are left for later frames', () => {
  const ledger = new Ledger();
  ledger.decide(frame(0, 60_000, [0]), 'incomplete', asSequence(0));
  expect(ledger.decidedPackets).toBe(1);
  ledger.decide(whole(5, 1), 'onTime', asSequence(5));
  expect(ledger.packets).toMatchObject({ onTime: 2, neverArrived: 4 });
  ledger.assertBalanced();
});

test('rounds beyond the last index are counted together', () => {
  const ledger = new Ledger();
  for (const [sequence, round] of [0, 1, 8, 9, 500].entries()) {
    ledger.decide(whole(sequence, 1, { recoveredInRound: round }), 'recovered');
  }
  expect(ledger.packets.recoveredInRound).toEqual([2, 0, 0, 0, 0, 0, 0, 3]);
});

test('the sums balance whatever frames claim, overlapping and out of order', () => {
  const fates: FrameClass[] = ['onTime', 'recovered', 'late', 'incomplete', 'undecodable'];
  const claim = fc.record({
    first: fc.integer({ min: -20, max: 200 }),
    count: fc.integer({ min: 1, max: 30 }),
    held: fc.uniqueArray(fc.integer({ min: 0, max: 29 }), { minLength: 1, maxLength: 30 }),
    fate: fc.constantFrom(...fates),
    late: fc.integer({ min: -20, max: 240 }),
    seen: fc.integer({ min: 0, max: 240 }),
    loose: fc.integer({ min: 0, max: 240 }),
  });
  fc.assert(
    fc.property(fc.array(claim, { maxLength: 40 }), (claims) => {
      const ledger = new Ledger();
      let last = 0;
      for (const { first, count, held, fate, late, seen, loose } of claims) {
        const here = held.filter((index) => index < count);
        const claimed = frame(first, count, here.length > 0 ? here : [0]);
        const newest = Math.max(seen, first + Math.max(0, ...here));
        ledger.noteLoose(asSequence(loose), 'late');
        ledger.decide(claimed, fate, asSequence(newest));
        ledger.enterLate(asSequence(late));
        ledger.assertBalanced();
        expect(ledger.decidedPackets).toBeGreaterThanOrEqual(last);
        last = ledger.decidedPackets;
      }
      expect(ledger.decidedFrames).toBe(claims.length);
    }),
  );
});
