import { expect, test } from 'vitest';
import { type AccessUnit, shifted } from '../../../protocol/access-unit.ts';
import { ticks } from '../../../protocol/base/units.ts';
import { EarlyPictures } from '../../../session/player/early-pictures.ts';

/** Pictures with these presentation times, in decode order; decoded one after another. */
const pictures = (...times: number[]): AccessUnit[] =>
  times.map((time, index) => ({
    parts: [],
    timestamp: ticks(time),
    decodeTimestamp: ticks(index),
    importance: index === 0 ? 'key' : 'reference',
  }));
const late = (unit: AccessUnit) => shifted(unit, ticks(100));
const timesOf = (units: readonly AccessUnit[]) => units.map(({ timestamp }) => timestamp);

// I0 P3 B1 B2 P6 B4 B5 P9
const STREAM = pictures(0, 3, 1, 2, 6, 4, 5, 9);

test('passes the pictures that were sent before their time, once', () => {
  const early = new EarlyPictures();
  expect(timesOf(early.take(STREAM.slice(0, 2)))).toEqual([0, 3]);
  expect(early.count).toBe(2);
  expect(STREAM.map((unit) => early.pass(unit))).toEqual([true, true, ...STREAM.slice(2).map(() => false)]);
});

test('a stall after an early picture does not move those shown before it behind it', () => {
  const early = new EarlyPictures();
  expect(timesOf(early.take(STREAM.slice(0, 5)))).toEqual([0, 3, 1, 2, 6]);
  const sent = STREAM.map(late).filter((unit) => !early.pass(unit));
  expect(timesOf(sent.map((unit) => early.follow(unit)))).toEqual([4, 5, 109]);
});

test('also of those that are taken early after the stall', () => {
  const early = new EarlyPictures();
  early.take(STREAM.slice(0, 5));
  expect(early.pass(STREAM[0]!)).toBe(true);
  const stalled = STREAM.slice(1).map(late);
  expect(timesOf(early.take(stalled.slice(0, 5)))).toEqual([4]);
  const sent = stalled.filter((unit) => !early.pass(unit));
  expect(timesOf(sent.map((unit) => early.follow(unit)))).toEqual([5, 109]);
});

test('nothing is moved after it was cleared', () => {
  const early = new EarlyPictures();
  early.take(STREAM.slice(0, 5));
  early.pass(late(STREAM[0]!));
  early.clear();
  expect([early.count, early.pass(STREAM[1]!), early.follow(STREAM[1]!)]).toEqual([0, false, STREAM[1]]);
});
