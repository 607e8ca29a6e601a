import { expect, test } from 'vitest';
import { ringsAt } from '../../../sim/tcp/timer-tick.ts';
import { at, dropData, Pair } from './pair.ts';

const TICK = 4_000;

test('without ticks a timer rings to the microsecond', () => {
  expect(ringsAt(1_234_567, 12_345, 1)).toBe(1_246_912);
});

test.each([
  { now: 0, wait: 4_000, rings: 8_000 },
  { now: 0, wait: 4_001, rings: 12_000 },
  { now: 3_999, wait: 4_000, rings: 8_000 },
  { now: 4_000, wait: 1, rings: 12_000 },
])('a wait of $wait µs set at $now rings at $rings: in whole ticks, and never early', ({ now, wait, rings }) => {
  expect(ringsAt(now, wait, TICK)).toBe(rings);
});

test('a long wait is kept in steps of eight ticks, a longer one of 64', () => {
  expect(ringsAt(0, 62 * TICK, TICK)).toBe(63 * TICK);
  expect(ringsAt(0, 63 * TICK, TICK)).toBe(64 * TICK);
  expect(ringsAt(0, 65 * TICK, TICK)).toBe(72 * TICK);
  expect(ringsAt(0, 505 * TICK, TICK)).toBe(512 * TICK);
  expect(ringsAt(0, 513 * TICK, TICK)).toBe(576 * TICK);
});

test('a kernel with ticks probes for a lost tail later than one without', () => {
  const probeAt = (timerTick: number) => {
    const pair = new Pair({ forward: dropData(8, 9), sender: { timerTick } }).write(at(100), 14_480).run(at(2_000));
    return pair.data()[10]!.at;
  };
  // Set at 150 ms for 102 ms: 37 ticks are under way, 26 are waited for, and one is added.
  expect(probeAt(1)).toBe(at(252));
  expect(probeAt(TICK)).toBe((37 + 26 + 1) * TICK);
});
