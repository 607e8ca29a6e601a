import { expect, test } from 'vitest';
import { ReplayClock } from '../../../web/replay/replay-clock.ts';

test('goes on at its speed, and pauses at the end', () => {
  const clock = new ReplayClock(1_000, 3_000);
  clock.advance(0);
  clock.toggle();
  clock.advance(100);
  expect(clock.atMs).toBe(1_100);
  clock.speed = 0.1;
  clock.advance(1_100);
  expect(clock.atMs).toBe(1_200);
  clock.speed = 1;
  clock.advance(9_000);
  expect([clock.atMs, clock.isPlaying]).toEqual([3_000, false]);
});

test('plays again from the beginning when it is at the end', () => {
  const clock = new ReplayClock(1_000, 3_000);
  clock.seek(9_999);
  expect(clock.atMs).toBe(3_000);
  clock.toggle();
  expect([clock.atMs, clock.isPlaying]).toEqual([1_000, true]);
});

test('a step pauses, and stays within the recording', () => {
  const clock = new ReplayClock(1_000, 3_000);
  clock.toggle();
  clock.step(-500);
  expect([clock.atMs, clock.isPlaying]).toEqual([1_000, false]);
});

test('the time in which it was paused does not count', () => {
  const clock = new ReplayClock(0, 3_000);
  clock.advance(0);
  clock.advance(1_000);
  clock.toggle();
  clock.advance(1_050);
  expect(clock.atMs).toBe(50);
});
