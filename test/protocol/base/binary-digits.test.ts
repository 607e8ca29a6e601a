import { expect, test } from 'vitest';
import { digitsFor, powerOfTwo } from '../../../protocol/base/binary-digits.ts';

test('returns the number of binary digits that distinguish so many values', () => {
  expect([1, 2, 3, 4, 5, 8, 9, 32_768, 32_769].map(digitsFor)).toEqual([0, 1, 2, 2, 3, 3, 4, 15, 16]);
});

test('returns the smallest power of two that is not below the argument', () => {
  expect([1, 2, 3, 100, 128, 129].map(powerOfTwo)).toEqual([1, 2, 4, 128, 128, 256]);
});
