import { expect, test } from 'vitest';
import { ringsAt } from '../../../sim/tcp/timer-tick.ts';
import { at, dropData, Pair } from './pair.ts';

const TICK = 4_000;

test('without ticks a timer rings to the microsecond', () => {
  expect(ringsAt(1_234_567, 12_345, 1)).toBe(1_246_912);
});

test.each([
  { wait: 4_000, takes: 4_000 + 2_000 },
  { wait: 4_001, takes: 8_000 + 2_000 },
  { wait: 1, takes: 4_000 + 2_000 },
])('a wait of $wait µs takes $takes: whole ticks, and half of one in the mean', ({ wait, takes }) => {
  expect(ringsAt(1_234_567, wait, TICK)).toBe(1_234_567 + takes);
});

test('a long wait is kept in steps of eight ticks, a longer one of 64', () => {
  expect(ringsAt(0, 62 * TICK, TICK)).toBe(62.5 * TICK);
  expect(ringsAt(0, 63 * TICK, TICK)).toBe(67 * TICK);
  expect(ringsAt(0, 503 * TICK, TICK)).toBe(507 * TICK);
  expect(ringsAt(0, 504 * TICK, TICK)).toBe(536 * TICK);
});

test('a kernel with ticks probes for a lost tail later than one without', () => {
  const probeAt = (timerTick: number) => {
    const pair = new Pair({ forward: dropData(8, 9), sender: { timerTick } }).write(at(100), 14_480).run(at(2_000));
    return pair.data()[10]!.at;
  };
  // Set at 150 ms for 102 ms, which is 26 ticks.
  expect(probeAt(1)).toBe(at(252));
  expect(probeAt(TICK)).toBe(at(150) + 26.5 * TICK);
});
