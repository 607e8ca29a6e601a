import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ReplayWindow } from '../../../protocol/srtp/replay-window.ts';

test('agrees with a set of all accepted indices', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 400 })), fc.integer({ min: 0, max: 2 ** 40 }), (steps, start) => {
      const window = new ReplayWindow(64);
      const accepted = new Set<number>();
      let highest = -1;
      for (const step of steps) {
        const index = start + step;
        const expected = !accepted.has(index) && index > highest - 64;
        expect(window.admits(index)).toBe(expected);
        if (!expected) continue;
        window.accept(index);
        accepted.add(index);
        highest = Math.max(highest, index);
        expect(window.highest).toBe(highest);
      }
    }),
  );
});

test('a jump by more than the window clears it', () => {
  const window = new ReplayWindow(64);
  for (let index = 0; index < 64; index++) window.accept(index);
  window.accept(1_000);
  expect([1_000, 999, 937, 936].map((index) => window.admits(index))).toEqual([false, true, true, false]);
});
