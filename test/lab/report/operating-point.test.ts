import { expect, test } from 'vitest';
import { pathName } from '../../../lab/report/operating-point.ts';

test('path names omit the seed and the folder of recordings', () => {
  const trace = (name: string) => `delay=20ms trace=../../there/${name}#2e76512a80a4f43d queue=500ms seed=3`;
  expect(pathName({ forward: trace('drive.down'), back: trace('drive.up') })).toBe(
    'delay=20ms trace=drive.down#2e76 queue=500ms ⇄ delay=20ms trace=drive.up#2e76 queue=500ms',
  );
  expect(pathName({ forward: 'loss=2% seed=1', back: 'loss=2% seed=1' })).toBe('loss=2%');
});
