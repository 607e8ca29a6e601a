import { describe, expect, test } from 'vitest';
import { instant, microseconds, milliseconds } from '../../../protocol/base/units.ts';
import { CapacityMeter } from '../../../sender/rate/capacity-meter.ts';

const ms = milliseconds;
const meter = () => new CapacityMeter({ window: ms(100), memory: ms(1_000), timeMin: ms(5), waitMin: ms(15) });

/** Passes packets of 1,000 bytes, each as [ms at which it enters, ms at which it leaves]. */
function pass(one: CapacityMeter, passages: readonly (readonly [number, number])[]): CapacityMeter {
  for (const [enters, leaves] of passages) one.onPassage({ entersAt: ms(enters), leavesAt: ms(leaves), bytes: 1_000 });
  return one;
}

describe('the capacity of a bottleneck', () => {
  test('is the dispersion of packets that queued, and not the pause between frames', () => {
    // 500 kB/s: 2 ms a packet; a frame of five packets, twice, with 20 ms in between.
    const frame = (at: number) => [0, 1, 2, 3, 4].map((n) => [at, at + 2 * n] as const);
    expect(pass(meter(), [...frame(0), ...frame(30)]).measure(microseconds(0))?.rate).toBe(500_000);
  });

  test('is unknown while no packet queues', () => {
    expect(meter().measure(microseconds(0))).toBeUndefined();
    expect(
      pass(meter(), [
        [0, 0],
        [30, 31],
        [60, 60],
      ]).measure(microseconds(0)),
    ).toBeUndefined();
  });

  test('counts the wait of a single packet when that is long', () => {
    expect(
      pass(meter(), [
        [0, 0],
        [30, 70],
      ]).measure(microseconds(0))?.rate,
    ).toBe(25_000);
  });

  test('falls with the time for which nothing is reported', () => {
    const one = pass(meter(), [
      [0, 0],
      [0, 10],
      [0, 20],
    ]);
    expect(one.measure(microseconds(0))?.rate).toBe(100_000);
    expect(one.measure(ms(20))?.rate).toBe(50_000);
    expect(one.measure(ms(200))?.rate).toBe(0);
  });

  test('ignores a packet that left before one that was sent earlier', () => {
    expect(
      pass(meter(), [
        [0, 0],
        [0, 10],
        [0, 4],
        [0, 20],
      ]).measure(microseconds(0))?.rate,
    ).toBe(100_000);
  });

  test('remembers low capacities for their time, and unknown ones as high', () => {
    const one = meter();
    for (let at = 0; at < 10; at++) one.sample(instant(ms(at * 100)), at === 3 ? 1_000 : 9_000, false);
    expect(one.quantile(0)).toBe(1_000);
    expect(one.quantile(0.3)).toBe(9_000);
    one.sample(instant(ms(1_350)), Number.POSITIVE_INFINITY, false);
    expect(one.quantile(0)).toBe(9_000);
    expect(one.quantile(1)).toBe(Number.POSITIVE_INFINITY);
  });

  test('gives the quantiles and the spread of the samples at that moment, however they change', () => {
    const one = meter();
    const rates: number[] = [];
    const sorted = () => rates.toSorted((a, b) => a - b);
    for (let count = 1; count <= 40; count++) {
      const rate = (count * 7_919) % 1_009;
      rates.push(rate);
      one.sample(instant(ms(count)), rate, count > 30);
      for (const share of [0, 0.25, 1]) expect(one.quantile(share)).toBe(sorted()[Math.floor(share * (count - 1))]);
      const rank = (share: number) => sorted()[Math.floor(share * (count - 1))]!;
      expect(one.spread).toBe(count < 20 ? 1 : rank(0.9) / rank(1 - 0.9));
    }
    rates.length = 30;
    one.withdraw();
    expect(one.quantile(0.5)).toBe(sorted()[14]);
    one.forget();
    expect(one.quantile(0.5)).toBeUndefined();
    expect(one.spread).toBe(1);
  });

  test('tells a pause before a datagram from the time that a queue takes', () => {
    // A pause of 40 ms, and then four packets in 3 ms.
    const frame = [
      [0, 0],
      [30, 70],
      [30, 71],
      [30, 72],
      [30, 73],
    ] as const;
    const measured = pass(meter(), frame).measure(microseconds(0));
    expect(measured?.firstShare).toBeCloseTo(40 / 43);
    expect(measured?.waitMax).toBe(ms(43));
    expect(measured?.passed).toBeCloseTo(5_000 / 0.3);
  });

  test('weighs capacities by their time, and not by the number of their samples', () => {
    const one = meter();
    one.sample(instant(0), 9_000, false);
    for (let at = 10; at <= 200; at += 10) one.sample(instant(ms(at)), 0, false);
    for (let at = 300; at <= 900; at += 100) one.sample(instant(ms(at)), 9_000, false);
    expect(one.quantile(0.3)).toBe(0);
    expect(one.timeQuantile(0.3)).toBe(9_000);
    expect(one.timeQuantile(0.2)).toBe(0);
  });

  test('withdraws an estimate from missing reports unless it was confirmed', () => {
    const one = meter();
    one.sample(instant(0), 9_000, false);
    one.sample(instant(ms(20)), 0, true);
    one.withdraw();
    expect(one.quantile(0)).toBe(9_000);
    one.sample(instant(ms(40)), 0, true);
    one.confirm();
    one.withdraw();
    expect(one.quantile(0)).toBe(0);
  });
});
