import { describe, expect, test } from 'vitest';
import {
  amountIn,
  earlier,
  earliest,
  elapsed,
  type Instant,
  inMilliseconds,
  inSeconds,
  instant,
  later,
  latest,
  type Microseconds,
  type Milliseconds,
  microseconds,
  microsecondsToTicks,
  milliseconds,
  NEVER,
  perSecond,
  seconds,
  sinceEpoch,
  type Ticks,
  ticks,
  ticksToMicroseconds,
  timeFor,
  toMilliseconds,
} from '../../../protocol/base/units.ts';
import {
  asSequence,
  distance,
  extend,
  type Sequence,
  type WireSequence,
  type WireTimestamp,
  wireSequence,
  wireTimestamp,
} from '../../../protocol/rtp/sequence.ts';
import type { StreamParameters } from '../../../protocol/stream-parameters.ts';
import { Sender } from '../../../sender/sender.ts';
import { SENDER_OPTIONS } from '../../simulated-session.ts';

const at: Instant = instant(2_000_000);
const span: Microseconds = microseconds(1_500);

describe('conversions', () => {
  test('milliseconds and seconds become whole microseconds', () => {
    expect([milliseconds(1.5), milliseconds(0.0004), seconds(2)]).toEqual([1_500, 0, 2_000_000]);
  });

  test('microseconds become milliseconds and seconds, unrounded or with two decimals', () => {
    expect([inMilliseconds(microseconds(1_234)), inSeconds(at)]).toEqual([1.234, 2]);
    expect(toMilliseconds(microseconds(1_236))).toBe(1.24);
  });

  test('ticks are 90 to the millisecond', () => {
    expect(ticksToMicroseconds(ticks(90))).toBe(1_000);
    expect(microsecondsToTicks(milliseconds(1))).toBe(90);
  });

  test('rate, amount and duration follow from each other', () => {
    expect(perSecond(500, milliseconds(250))).toBe(2_000);
    expect(amountIn(milliseconds(250), 2_000)).toBe(500);
    expect(timeFor(500, 2_000)).toBe(milliseconds(250));
  });
});

describe('instants', () => {
  test('move by a duration and differ by one', () => {
    expect(later(at, span)).toBe(2_001_500);
    expect(earlier(at, span)).toBe(1_998_500);
    expect(elapsed(later(at, span), at)).toBe(-1_500);
    expect(sinceEpoch(instant(span))).toBe(span);
  });

  test('are ordered, and none is later than NEVER', () => {
    expect(earliest(at, NEVER)).toBe(at);
    expect(latest(at, NEVER)).toBe(NEVER);
  });
});

/** Checked by `npm run check`: a directive over a line that compiles is an error. */
describe('the compiler rejects', () => {
  test('a plain number in place of a unit', () => {
    const parameters = (_: Partial<StreamParameters>) => {};
    // @ts-expect-error 200 of what?
    parameters({ latency: 200 });
    parameters({ latency: milliseconds(200) });
    const sender = new Sender(SENDER_OPTIONS);
    // @ts-expect-error the time of day is not an instant
    expect(() => sender.handleTimeout(Date.now())).not.toThrow();
    // @ts-expect-error a sum is not an instant
    const sum: Instant = at + span;
    expect(sum).toBe(later(at, span));
  });

  test('one unit of time in place of another', () => {
    // @ts-expect-error an instant is not a duration
    const one: Microseconds = at;
    // @ts-expect-error a duration is not an instant
    const two: Instant = span;
    // @ts-expect-error ticks are not microseconds
    const three: Microseconds = ticks(90);
    // @ts-expect-error milliseconds are not microseconds
    const four: Microseconds = inMilliseconds(span);
    // @ts-expect-error microseconds are not milliseconds
    const five: Milliseconds = span;
    // @ts-expect-error microseconds are not ticks
    const six: Ticks = span;
    expect([one, two, three, four, five, six]).toEqual([at, span, 90, 1.5, span, span]);
  });

  test('branding a branded number', () => {
    // @ts-expect-error ticks must be converted to microseconds
    expect(microseconds(ticks(90))).toBe(90);
    // @ts-expect-error microseconds cannot be converted from milliseconds
    expect(milliseconds(span)).toBe(1_500_000);
    // @ts-expect-error an instant cannot be added to an instant
    expect(later(at, at)).toBe(4_000_000);
    // @ts-expect-error an instant and a duration cannot be compared
    expect(earliest(at, span)).toBe(span);
  });

  test('a wire number in place of an extended one, and the reverse', () => {
    const wire: WireSequence = wireSequence(65_535);
    const counted: Sequence = asSequence(65_536);
    // @ts-expect-error a wire number must be extended first
    const one: Sequence = wire;
    // @ts-expect-error an extended number has more than 16 bits
    const two: WireSequence = counted;
    // @ts-expect-error wire and extended numbers cannot be compared
    const three = wire === counted;
    // @ts-expect-error a sequence number is not a timestamp
    const four: WireTimestamp = wire;
    // @ts-expect-error extended ticks are not a wire timestamp
    const five: WireTimestamp = ticks(1);
    // @ts-expect-error distance is defined for wire numbers
    expect(distance(counted, counted)).toBe(0);
    expect([one, two, three, four, five]).toEqual([65_535, 65_536, false, 65_535, 1]);
    expect(extend(wireSequence(counted), asSequence(wire))).toBe(counted);
    expect(wireTimestamp(ticks(2 ** 32 + 1))).toBe(1);
  });
});
