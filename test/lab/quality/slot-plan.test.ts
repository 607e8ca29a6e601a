import { expect, test } from 'vitest';
import { NOTHING, planSlots } from '../../../lab/quality/slot-plan.ts';
import { microseconds, ticks } from '../../../protocol/base/units.ts';
import { BUDGET, madeFrames } from './made-frames.ts';

const TICKS = 3_000;
const PERIOD = 33_333;
/** Twelve pictures at 30 per second, displayed in decode order. */
const TIMES = Array.from({ length: 12 }, (_, index) => ({
  importance: index === 0 ? ('key' as const) : ('reference' as const),
  timestamp: ticks(index * TICKS),
  decodeTimestamp: ticks(index * TICKS),
}));

const onScreen = (fates: Parameters<typeof madeFrames>[1]) => [
  ...planSlots(madeFrames(TIMES, fates), TIMES, microseconds(BUDGET)).onScreen,
];

test('a stream without loss shows each picture in its own slot', () => {
  expect(onScreen({})).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
});

test('a lost picture repeats its predecessor, and the screen is empty before the first', () => {
  expect(onScreen({ lost: [0, 1, 5, 6, 11] })).toEqual([NOTHING, NOTHING, 2, 3, 4, 4, 4, 7, 8, 9, 10, 10]);
});

test('the screen stays empty without pictures', () => {
  expect(onScreen({ lost: [...TIMES.keys()] })).toEqual(TIMES.map(() => NOTHING));
});

test('a late picture is shown from its arrival, in its own slot when less than half a slot late', () => {
  expect(onScreen({ lateBy: { 5: PERIOD / 2 - 10 } })[5]).toBe(5);
  expect(onScreen({ lateBy: { 5: PERIOD / 2 + 10 } })[5]).toBe(4);
});

test('pictures that arrive together after a stall are replaced by the last of them', () => {
  const lateBy = { 4: 4 * PERIOD, 5: 3 * PERIOD, 6: 2 * PERIOD, 7: PERIOD };
  expect(onScreen({ lateBy })).toEqual([0, 1, 2, 3, 3, 3, 3, 3, 8, 9, 10, 11]);
  expect(onScreen({ lateBy: { 4: 3 * PERIOD } })).toEqual([0, 1, 2, 3, 3, 5, 6, 7, 8, 9, 10, 11]);
});

test('a constant lag does not matter, but late pictures do', () => {
  const frames = madeFrames(TIMES).map((frame) => ({ ...frame, renderedAt: frame.renderedAt! + 70_000 }));
  expect([...planSlots(frames, TIMES, microseconds(BUDGET)).onScreen]).toEqual([...TIMES.keys()]);
  const late = frames.map((frame) => ({ ...frame, class: 'late' as const }));
  expect([...planSlots(late, TIMES, microseconds(BUDGET)).onScreen]).toEqual([-1, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test('slots follow presentation order, not decode order', () => {
  // I P B: the B-picture is decoded last and displayed between the two.
  const times = [
    { importance: 'key' as const, timestamp: ticks(TICKS), decodeTimestamp: ticks(0) },
    { importance: 'reference' as const, timestamp: ticks(3 * TICKS), decodeTimestamp: ticks(TICKS) },
    { importance: 'discardable' as const, timestamp: ticks(2 * TICKS), decodeTimestamp: ticks(2 * TICKS) },
  ];
  const whole = planSlots(madeFrames(times), times, microseconds(BUDGET));
  expect([...whole.rows]).toEqual([0, 2, 1]);
  expect([...whole.onScreen]).toEqual([0, 1, 2]);
  expect(whole.decoded.map(({ slot }) => slot)).toEqual([0, 2, 1]);
  expect([...planSlots(madeFrames(times, { lost: [2] }), times, microseconds(BUDGET)).onScreen]).toEqual([0, 0, 2]);
});
