import { expect, test } from 'vitest';
import { RateBudget } from '../../../protocol/base/rate-budget.ts';
import { instant } from '../../../protocol/base/units.ts';

test('a budget allows its burst, then refills over time', () => {
  const budget = new RateBudget({ perSecond: 10, burst: 3 });
  expect([0, 0, 0, 0].map((now) => budget.spend(instant(now), 1))).toEqual([true, true, true, false]);
  expect(budget.spend(instant(99_999), 1)).toBe(false);
  expect(budget.spend(instant(100_000), 1)).toBe(true);
  expect(budget.take(instant(10_000_000), 9)).toBe(3);
});

test('a budget takes what is earned up to its burst, and a clock that goes back brings nothing', () => {
  const budget = new RateBudget({ perSecond: 0, burst: 5 });
  expect(budget.take(instant(1_000), 5)).toBe(5);
  budget.earn(2.5);
  expect([budget.take(instant(0), 9), budget.take(instant(0), 9)]).toEqual([2, 0]);
  budget.earn(100);
  expect(budget.take(instant(0), 9)).toBe(5);
});
