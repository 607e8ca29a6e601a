import { expect, test } from 'vitest';
import { LiveTimeline } from '../../../io/sources/live-timeline.ts';
import type { AccessUnit } from '../../../protocol/access-unit.ts';
import { instant, seconds, ticks } from '../../../protocol/base/units.ts';

const FRAME = 3_000;
const at = (time: number) => instant(seconds(time));
const unit = (time: number): AccessUnit => ({
  parts: [],
  timestamp: ticks(Math.round(time * 90_000) + FRAME),
  decodeTimestamp: ticks(Math.round(time * 90_000)),
  importance: 'reference',
});
const tenths = (from: number, to: number) => Array.from({ length: (to - from) * 10 }, (_, index) => from + index / 10);
const decodeSeconds = (placed: AccessUnit) => placed.decodeTimestamp / 90_000;

test('begins at 0, and keeps the distance from decoding to showing', () => {
  const timeline = new LiveTimeline();
  expect(timeline.place(at(5), unit(700))).toMatchObject({ timestamp: FRAME, decodeTimestamp: 0 });
});

test.each([0.999, 1.001])('follows a clock that runs %f times as fast', (rate) => {
  const timeline = new LiveTimeline();
  let placed = unit(0);
  for (let time = 0; time <= 3_600; time += 1) placed = timeline.place(at(time), unit(10 + time * rate));
  expect(decodeSeconds(placed)).toBeCloseTo(3_600 * rate, 3);
  expect(timeline.takeNotice()).toBeUndefined();
});

test('a stall after which the source catches up moves nothing', () => {
  const timeline = new LiveTimeline();
  for (const time of tenths(0, 2)) timeline.place(at(time), unit(time));
  // Five seconds of silence, then everything at once, then live.
  for (const time of tenths(2, 7)) timeline.place(at(7), unit(time));
  let placed = unit(0);
  for (const time of tenths(7, 12)) placed = timeline.place(at(time), unit(time));
  expect(decodeSeconds(placed)).toBeCloseTo(11.9, 3);
  expect(timeline.takeNotice()).toBeUndefined();
});

test('a clock that stood still during a stall is moved on', () => {
  const timeline = new LiveTimeline();
  for (const time of tenths(0, 2)) timeline.place(at(time), unit(time));
  let placed = unit(0);
  for (const time of tenths(7, 12)) placed = timeline.place(at(time), unit(time - 5));
  expect(decodeSeconds(placed)).toBeCloseTo(11.9, 1);
  expect(timeline.takeNotice()?.kind).toBe('stood-still');
  expect(timeline.takeNotice()).toBeUndefined();
});

test.each([
  ['back', -500],
  ['far ahead', 500],
])('a clock that jumps %s goes on where it was', (_, jump) => {
  const timeline = new LiveTimeline();
  timeline.place(at(0), unit(1_000));
  timeline.place(at(1), unit(1_001));
  expect(decodeSeconds(timeline.place(at(2), unit(1_002 + jump)))).toBeCloseTo(2, 3);
  expect(timeline.takeNotice()?.kind).toBe('jumped');
  expect(decodeSeconds(timeline.place(at(3), unit(1_003 + jump)))).toBeCloseTo(3, 3);
});

test('a source that returns goes on at the time at which it does', () => {
  const timeline = new LiveTimeline();
  timeline.place(at(0), unit(0));
  timeline.place(at(1), unit(1));
  timeline.restart();
  expect(decodeSeconds(timeline.place(at(30), unit(7_000)))).toBeCloseTo(30, 3);
  expect(decodeSeconds(timeline.place(at(31), unit(7_001)))).toBeCloseTo(31, 3);
});
