import { expect, test } from 'vitest';
import { BacklogBudget } from '../../../session/stream/backlog-budget.ts';

test('one backlog is limited by itself', () => {
  const budget = new BacklogBudget({ bytesMax: 100, totalBytesMax: 1_000 });
  const backlog = { unsentBytes: 100 };
  budget.add(backlog);
  expect(budget.isExceeded(backlog)).toBe(false);
  backlog.unsentBytes = 101;
  expect(budget.isExceeded(backlog)).toBe(true);
});

test('many backlogs together are limited, at the expense of those with more than an equal share', () => {
  const budget = new BacklogBudget({ bytesMax: 100, totalBytesMax: 300 });
  const slow = Array.from({ length: 4 }, () => ({ unsentBytes: 75 }));
  const [late, prompt] = [{ unsentBytes: 10 }, { unsentBytes: 0 }];
  for (const each of [...slow, late, prompt]) budget.add(each);
  expect(slow.map((each) => budget.isExceeded(each))).toEqual([true, true, true, true]);
  expect(budget.isExceeded(late)).toBe(false);
  expect(budget.isExceeded(prompt)).toBe(false);
  for (const each of slow.slice(0, 2)) budget.delete(each);
  expect(budget.isExceeded(slow[3]!)).toBe(false);
});
