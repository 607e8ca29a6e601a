import { expect, test } from 'vitest';
import { pathName } from '../../../lab/report/operating-point.ts';

test('path names omit the seed and the folder of recordings', () => {
  const trace = (name: string) => `delay=20ms trace=../../there/${name}#2e76512a80a4f43d queue=500ms seed=3`;
  expect(pathName({ forward: trace('drive.down'), back: trace('drive.up') })).toBe(
    'delay=20ms trace=drive.down#2e76 queue=500ms ⇄ delay=20ms trace=drive.up#2e76 queue=500ms',
  );
  expect(pathName({ forward: 'loss=2% seed=1', back: 'loss=2% seed=1' })).toBe('loss=2%');
});

test('a second path is part of the name, and stays with its link where titles omit common words', () => {
  const links = { forward: 'delay=20ms seed=1', back: 'delay=20ms seed=1' };
  const second = { secondForward: 'loss=1% delay=40ms seed=2147483649', secondBack: 'delay=40ms seed=2147483649' };
  expect(pathName({ ...links, secondForward: null, secondBack: null })).toBe('delay=20ms');
  expect(pathName({ ...links, ...second })).toBe('delay=20ms ∥loss=1% delay=40ms / back delay=40ms');
  expect(pathName({ ...links, ...second, secondBack: second.secondForward })).toBe('delay=20ms ∥loss=1% delay=40ms');
});
