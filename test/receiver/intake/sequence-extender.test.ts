import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Instant, instant, milliseconds, ticks } from '../../../protocol/base/units.ts';
import { asSequence, wireSequence, wireTimestamp } from '../../../protocol/rtp/sequence.ts';
import { SequenceExtender, vouch } from '../../../receiver/intake/sequence-extender.ts';

const at = (ms: number): Instant => instant(milliseconds(ms));

/** Takes a packet as the receiver does, which accepts it unless it leaps. */
function take(extender: SequenceExtender, now: Instant, sequence: number, timestamp: number) {
  const place = extender.place(
    now,
    { sequenceNumber: wireSequence(sequence & 0xffff), wireTimestamp: wireTimestamp(timestamp >>> 0) },
    0,
  );
  if (place && !place.leap) extender.accept(now, place);
  return place;
}

test('counts from the first packet when no initial number is known', () => {
  const extender = new SequenceExtender({});
  expect(take(extender, instant(0), 65_535, 2 ** 32 - 5)).toEqual({
    sequence: 65_535,
    timestamp: 0,
    ahead: true,
    leap: false,
  });
  expect(take(extender, at(40), 0, 3_595)).toEqual({
    sequence: 65_536,
    timestamp: 3_600,
    ahead: true,
    leap: false,
  });
});

test('counts from the known initial number', () => {
  const extender = new SequenceExtender({
    initialSequence: wireSequence(65_530),
    timestampBase: wireTimestamp(2 ** 32 - 1),
  });
  expect(extender.highest).toBe(65_529);
  expect(take(extender, instant(0), 2, 8_999)).toEqual({
    sequence: 65_538,
    timestamp: 9_000,
    ahead: true,
    leap: false,
  });
});

test('numbers and timestamps are extended as if they had never wrapped, in any order', () => {
  const steps = fc.array(
    fc.record({ ahead: fc.integer({ min: -20, max: 200 }), ms: fc.integer({ min: 0, max: 60 }) }),
    {
      minLength: 1,
      maxLength: 400,
    },
  );
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 65_535 }),
      fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      steps,
      (sequence, base, steps) => {
        const extender = new SequenceExtender({
          initialSequence: wireSequence(sequence),
          timestampBase: wireTimestamp(base),
        });
        let now = 0;
        let newest = sequence;
        for (const { ahead, ms } of steps) {
          now += at(ms);
          const media = Math.round((now * 9) / 100);
          const place = take(extender, instant(now), Math.max(0, newest + ahead), base + media);
          expect(place?.sequence).toBe(Math.max(0, newest + ahead));
          expect(place?.timestamp).toBe(media);
          newest = Math.max(newest, newest + ahead);
        }
      },
    ),
  );
});

describe('a leap', () => {
  const started = (): SequenceExtender => {
    const extender = new SequenceExtender({ initialSequence: wireSequence(0), timestampBase: wireTimestamp(0) });
    for (let frame = 0; frame < 10; frame++) take(extender, at(frame * 40), frame, frame * 3_600);
    return extender;
  };

  test.each([
    ['hundreds of packets ahead', 300, 10 * 3_600, true],
    ['a few packets ahead', 60, 10 * 3_600, false],
    ['hours of media time ahead', 10, 2 ** 30, true],
    ['a second of media time ahead', 10, 10 * 3_600 + 90_000, false],
    ['media time behind', 10, 0, false],
  ])('%s', (_, sequence, timestamp, leap) => {
    const extender = started();
    expect(
      extender.place(at(400), { sequenceNumber: wireSequence(sequence), wireTimestamp: wireTimestamp(timestamp) }, 0)
        ?.leap,
    ).toBe(leap);
  });

  test('is accepted when as much time has passed', () => {
    expect(
      started().place(at(60_000), { sequenceNumber: wireSequence(10), wireTimestamp: wireTimestamp(60 * 90_000) }, 0)
        ?.leap,
    ).toBe(false);
  });

  test('that is not accepted changes nothing', () => {
    const extender = started();
    extender.place(at(400), { sequenceNumber: wireSequence(30_000), wireTimestamp: wireTimestamp(2 ** 31 - 1) }, 0);
    expect(take(extender, at(400), 10, 36_000)).toEqual({
      sequence: 10,
      timestamp: 36_000,
      ahead: true,
      leap: false,
    });
  });

  test('is confirmed by a packet near it, and by no other', () => {
    const one = { sequence: asSequence(20_000), timestamp: ticks(90_000), ahead: true, leap: true };
    expect(vouch(one, { ...one, sequence: asSequence(20_001) })).toBe(true);
    expect(vouch(one, { ...one, sequence: asSequence(19_990), timestamp: ticks(80_000) })).toBe(true);
    expect(vouch(one, one)).toBe(false);
    expect(vouch(one, { ...one, sequence: asSequence(20_100) })).toBe(false);
    expect(vouch(one, { ...one, sequence: asSequence(20_001), timestamp: ticks(90_000 * 10) })).toBe(false);
  });
});

test('a packet a third of the range behind is rejected', () => {
  const extender = new SequenceExtender({ initialSequence: wireSequence(40_000), timestampBase: wireTimestamp(0) });
  take(extender, instant(0), 40_000, 0);
  expect(
    extender.place(at(1), { sequenceNumber: wireSequence(9_000), wireTimestamp: wireTimestamp(0) }, 0),
  ).toBeUndefined();
  expect(
    extender.place(at(1), { sequenceNumber: wireSequence(12_000), wireTimestamp: wireTimestamp(0) }, 0),
  ).toMatchObject({
    sequence: 12_000,
    ahead: false,
  });
});
