import { expect, test } from 'vitest';
import { causeOf, Failure } from '../../../io/os/failure.ts';

test('stays on one line for any file name', () => {
  expect(new Failure('cannot open a\nb\u001b[31m: no').message).toBe('cannot open a b [31m: no');
});

test('puts each finding on a line below the message, and all on one line as a cause', () => {
  const failure = new Failure('q.json: 2 mistakes', 2, { findings: ['a: is\nmissing', 'b: unknown'] });
  expect(failure.message).toBe('q.json: 2 mistakes\n  a: is missing\n  b: unknown');
  expect(causeOf(failure)).toBe('q.json: 2 mistakes a: is missing; b: unknown');
});

test('has exit code 1 by default', () => {
  expect(new Failure('x').exitCode).toBe(1);
  expect(new Failure('x', 3).exitCode).toBe(3);
});

test('describes common causes', () => {
  expect(causeOf(Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' }))).toBe('the disk is full');
});

test('keeps the message of other causes', () => {
  expect(causeOf(Object.assign(new Error('what now'), { code: 'toString' }))).toBe('what now');
  expect(causeOf('text')).toBe('text');
});
