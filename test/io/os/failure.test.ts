import { expect, test } from 'vitest';
import { causeOf, Failure } from '../../../io/os/failure.ts';

test('a failure is one line whatever the file is called', () => {
  expect(new Failure('cannot open a\nb\u001b[31m: no').message).toBe('cannot open a b [31m: no');
});

test('a failure ends a run with code 1 unless it says otherwise', () => {
  expect(new Failure('x').exitCode).toBe(1);
  expect(new Failure('x', 3).exitCode).toBe(3);
});

test('the causes that users meet have words', () => {
  expect(causeOf(Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' }))).toBe('the disk is full');
});

test('a cause without words keeps its own', () => {
  expect(causeOf(Object.assign(new Error('what now'), { code: 'toString' }))).toBe('what now');
  expect(causeOf('text')).toBe('text');
});
