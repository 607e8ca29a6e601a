import { expect, test } from 'vitest';
import { WindowLag } from '../../../io/web-server/window-lag.ts';

/** A window that is sent a message every 50 ms, and says so after `delayMs`, until `until`. */
function run(lag: WindowLag, from: number, until: number, delayMs: number): void {
  for (let at = from; at < until; at += 50) {
    lag.sent(at);
    if (at - from >= delayMs) expect(lag.handled(1, at)).toBeUndefined();
  }
}

test('counts a window that never tells as keeping up', () => {
  const lag = new WindowLag();
  for (let at = 0; at < 10_000; at += 50) lag.sent(at);
  expect(lag.isBehind(10_000)).toBe(false);
});

test('counts a window as behind when its oldest message is older than 0.6 s', () => {
  const lag = new WindowLag();
  run(lag, 0, 1_000, 100);
  expect(lag.isBehind(1_000)).toBe(false);
  lag.sent(1_000);
  expect(lag.isBehind(1_400)).toBe(false);
  expect(lag.isBehind(1_600)).toBe(true);
});

test('lets a window go on only when it has caught up, and tells how far it was behind', () => {
  const lag = new WindowLag();
  lag.sent(0);
  lag.handled(1, 10);
  for (let at = 100; at <= 2_000; at += 100) lag.sent(at);
  expect(lag.isBehind(2_000)).toBe(true);
  // One message is not enough: the next one is 1.8 s old.
  expect(lag.handled(1, 2_000)).toBeUndefined();
  expect(lag.isBehind(2_000)).toBe(true);
  expect(lag.handled(18, 2_050)).toBe(1_900);
  expect(lag.isBehind(2_050)).toBe(false);
});

test('keeps a bounded number of times', () => {
  const lag = new WindowLag();
  for (let at = 0; at < 100_000; at++) lag.sent(at);
  expect(lag.handled(1_000, 100_000)).toBeUndefined();
  expect(lag.isBehind(100_000)).toBe(false);
});
