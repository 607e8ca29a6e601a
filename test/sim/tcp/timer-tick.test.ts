import { expect, test } from 'vitest';
import { instant, microseconds, milliseconds } from '../../../protocol/base/units.ts';
import { expiryAt } from '../../../sim/tcp/timer-tick.ts';
import { at, dropData, Pair } from './pair.ts';

const TICK = milliseconds(4);

test('without ticks, a timer expires to the microsecond', () => {
  expect(expiryAt(instant(1_234_567), microseconds(12_345), microseconds(1))).toBe(1_246_912);
});

test.each([
  { wait: 4_000, takes: 4_000 + 2_000 },
  { wait: 4_001, takes: 8_000 + 2_000 },
  { wait: 1, takes: 4_000 + 2_000 },
])('a wait of $wait µs takes $takes µs: whole ticks plus half a tick', ({ wait, takes }) => {
  expect(expiryAt(instant(1_234_567), microseconds(wait), TICK)).toBe(1_234_567 + takes);
});

test('a long wait has a resolution of 8 ticks, a longer one of 64', () => {
  expect(expiryAt(instant(0), microseconds(62 * TICK), TICK)).toBe(62.5 * TICK);
  expect(expiryAt(instant(0), microseconds(63 * TICK), TICK)).toBe(67 * TICK);
  expect(expiryAt(instant(0), microseconds(503 * TICK), TICK)).toBe(507 * TICK);
  expect(expiryAt(instant(0), microseconds(504 * TICK), TICK)).toBe(536 * TICK);
});

test('a kernel with ticks sends the tail loss probe later', () => {
  const probeAt = (timerTick: number) => {
    const pair = new Pair({ forward: dropData(8, 9), sender: { timerTick: microseconds(timerTick) } })
      .write(at(100), 14_480)
      .run(at(2_000));
    return pair.data()[10]!.at;
  };
  // Set at 150 ms for 102 ms, which is 26 ticks.
  expect(probeAt(1)).toBe(milliseconds(252));
  expect(probeAt(TICK)).toBe(at(150) + 26.5 * TICK);
});
