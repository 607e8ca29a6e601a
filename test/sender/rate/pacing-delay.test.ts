import { describe, expect, test } from 'vitest';
import { milliseconds as at, instant } from '../../../protocol/base/units.ts';
import { PacingDelay } from '../../../sender/rate/pacing-delay.ts';

/** A packet every 10 ms from `fromMs` to `toMs`, each with its waiting time. */
function send(delay: PacingDelay, fromMs: number, toMs: number, waitedMs: (ms: number) => number): void {
  for (let ms = fromMs; ms < toMs; ms += 10) delay.onSent(instant(at(ms)), at(waitedMs(ms)));
}

describe('the pacing delay', () => {
  test('is 0 while the first packet of each frame leaves at once, however long the last one waits', () => {
    const delay = new PacingDelay();
    send(delay, 0, 2_000, (ms) => ms % 30);
    expect(delay.at(instant(at(2_000)))).toBe(0);
  });

  test('is the minimum waiting time of the packets behind a large frame', () => {
    const delay = new PacingDelay();
    send(delay, 0, 300, (ms) => ms);
    send(delay, 300, 600, () => 250);
    expect(delay.at(instant(at(600)))).toBe(at(250));
  });

  test('expires after one and a half seconds', () => {
    const delay = new PacingDelay();
    send(delay, 0, 500, () => 250);
    send(delay, 500, 2_100, () => 0);
    expect(delay.at(instant(at(2_100)))).toBe(0);
  });
});
