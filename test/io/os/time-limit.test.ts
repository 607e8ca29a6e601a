import { expect, test } from 'vitest';
import { lateText, whileWorking } from '../../../io/os/time-limit.ts';

const NEVER = new Promise<never>(() => {});

test('waits beyond the idle time while the work goes on', async () => {
  let looks = 0;
  let finish: (text: string) => void = () => {};
  const work = new Promise<string>((resolve) => {
    finish = resolve;
  });
  const progress = () => {
    // The idle time is that of twenty looks.
    if (++looks === 60) finish('done');
    return looks;
  };
  expect(await whileWorking({ idleMs: 40, totalMs: 600_000 }, progress, work)).toEqual({ value: 'done' });
});

test('gives up work that does not go on, and tells how long it has waited', async () => {
  expect(await whileWorking({ idleMs: 40 }, () => 7, NEVER)).toEqual({ lateMs: 40 });
});

test('gives up work that goes on for too long', async () => {
  let looks = 0;
  expect(await whileWorking({ idleMs: 40, totalMs: 100 }, () => looks++, NEVER)).toEqual({ lateMs: 100 });
});

test('passes on the failure of the work', async () => {
  const failing = Promise.reject(new Error('no such file'));
  await expect(whileWorking({ idleMs: 40 }, () => 0, failing)).rejects.toThrow('no such file');
});

test('a timeout is called a timeout', () => {
  expect(lateText(20_000)).toBe('timeout: no answer within 20 s');
  expect(lateText(1_250)).toBe('timeout: no answer within 1.3 s');
});
