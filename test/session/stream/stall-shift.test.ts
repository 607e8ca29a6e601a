import { expect, test } from 'vitest';
import { ticks } from '../../../protocol/base/units.ts';
import { StallShift } from '../../../session/stream/stall-shift.ts';

/** Delays of pictures with these presentation times, in decode order; `stall` adds 100. */
function delays(...steps: readonly (number | 'stall')[]): number[] {
  const shift = new StallShift();
  return steps.flatMap((step) => {
    if (step !== 'stall') return [shift.of({ timestamp: ticks(step) })];
    shift.add(ticks(100));
    return [];
  });
}

test('delays everything after a stall', () => {
  expect(delays(0, 1, 'stall', 2, 3, 'stall', 4)).toEqual([0, 0, 100, 100, 200]);
});

test('a picture shown before one that has left keeps its delay, and thereby the order of showing', () => {
  // I0 P3 | B1 B2 P6 B4 B5
  expect(delays(0, 3, 'stall', 1, 2, 6, 4, 5)).toEqual([0, 0, 0, 0, 100, 100, 100]);
});

test('also when a second stall follows before the next picture in order', () => {
  expect(delays(0, 3, 'stall', 1, 'stall', 2, 6, 4, 'stall', 5, 9)).toEqual([0, 0, 0, 0, 200, 200, 200, 300]);
});

test('a stall before the first picture delays them all', () => {
  expect(delays('stall', 0, 3, 1)).toEqual([100, 100, 100]);
});
