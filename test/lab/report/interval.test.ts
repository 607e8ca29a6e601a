import { expect, test } from 'vitest';
import { meanInterval, pooledShare, wilson } from '../../../lab/report/interval.ts';

test('Wilson’s interval of one in ten has the textbook value', () => {
  const { value, low, high } = wilson(1, 10);
  expect(value).toBeCloseTo(0.1, 12);
  expect(low).toBeCloseTo(0.0179, 4);
  expect(high).toBeCloseTo(0.4042, 4);
});

test('the interval of none starts at 0, and that of all ends at 1', () => {
  const none = wilson(0, 1_000);
  expect([none.value, none.low]).toEqual([0, 0]);
  expect(none.high).toBeCloseTo(0.003827, 6);
  const all = wilson(1_000, 1_000);
  expect([all.value, all.high]).toEqual([1, 1]);
  expect(all.low).toBeCloseTo(1 - 0.003827, 6);
});

test('without frames the ratio is unknown', () => {
  expect(wilson(0, 0)).toEqual({ value: Number.NaN, low: 0, high: 1 });
});

test('Student’s interval of 1, 2, 3 is 2 ± 2.484', () => {
  const { value, low, high } = meanInterval([1, 2, 3]);
  expect(value).toBe(2);
  expect(low).toBeCloseTo(2 - 2.4843, 3);
  expect(high).toBeCloseTo(2 + 2.4843, 3);
});

test('beyond the table, Student’s factor is accurate to three digits: 2.086 with 20 degrees of freedom', () => {
  const values = Array.from({ length: 21 }, (_, index) => (index === 20 ? 0 : index % 2 === 0 ? 1 : -1));
  const deviation = Math.sqrt(20 / 20);
  expect(meanInterval(values).high / (deviation / Math.sqrt(21))).toBeCloseTo(2.086, 3);
});

test('differing seeds widen the interval', () => {
  const frames = wilson(30, 3_000);
  const seeds = pooledShare([
    { count: 0, of: 1_000 },
    { count: 5, of: 1_000 },
    { count: 25, of: 1_000 },
  ]);
  expect(seeds.value).toBe(frames.value);
  expect(seeds.high).toBeGreaterThan(2 * frames.high);
  expect(seeds.low).toBe(0);
});

test('agreeing seeds do not narrow it', () => {
  const agreeing = Array.from({ length: 5 }, () => ({ count: 10, of: 1_000 }));
  expect(pooledShare(agreeing)).toEqual(wilson(50, 5_000));
});

test('two seeds are too few for Student’s interval', () => {
  const two = [
    { count: 0, of: 1_000 },
    { count: 20, of: 1_000 },
  ];
  expect(pooledShare(two)).toEqual(wilson(20, 2_000));
});
