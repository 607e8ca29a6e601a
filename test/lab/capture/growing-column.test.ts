import { expect, test } from 'vitest';
import { GrowingColumn } from '../../../lab/capture/growing-column.ts';

const NUMBERS = 10_000;

test('keeps all numbers in order, in at most twice their memory', () => {
  const column = new GrowingColumn();
  const numbers = Array.from({ length: NUMBERS }, (_, index) => index * 1.5);
  for (const number of numbers) column.push(number);
  expect([...column.values()]).toEqual(numbers);
  expect(column.values().buffer.byteLength).toBeLessThanOrEqual(2 * 8 * NUMBERS);
});

test('takes little memory for a single number', () => {
  const column = new GrowingColumn();
  column.push(7);
  expect([...column.values()]).toEqual([7]);
  expect(column.values().buffer.byteLength).toBeLessThanOrEqual(128);
});
