import { describe, expect, test } from 'vitest';
import { ticks } from '../../protocol/base/units.ts';
import { RenditionChoice, renditionRates } from '../../protocol/rendition-choice.ts';

const RATES = [100_000, 400_000, 1_600_000];
const FRAME = 3_000;

/** Rendition of each of these pictures, 30 a second, with a key frame every `group`. */
function chosen(targets: readonly number[], group: number, start = 1_600_000): number[] {
  const choice = new RenditionChoice(RATES, start);
  return targets.map((target, frame) => choice.next(ticks(frame * FRAME), frame % group === 0, target));
}

describe('the choice among renditions', () => {
  test('changes at key frames only', () => {
    const targets = [2e6, 2e6, 2e5, 2e5, 2e5, 2e5, 2e5, 2e5, 2e5, 2e5, 2e6, 2e6, 2e6];
    expect(chosen(targets, 10)).toEqual([2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2]);
    expect(chosen(targets, 8)).toEqual([2, 2, 2, 2, 2, 2, 2, 2, 0, 0, 0, 0, 0]);
  });

  test('leaves a tenth of the target free', () => {
    expect(chosen([440_000], 1)).toEqual([0]);
    expect(chosen([450_000], 1)).toEqual([1]);
  });

  test('rises by one rate with each group, and falls at once', () => {
    expect(chosen([2e5, 9e6, 9e6, 9e6, 2e5], 1).slice(0, 3)).toEqual([0, 1, 2]);
    const falling = Array.from({ length: 10 }, (_, frame) => (frame === 0 ? 9e6 : 1e5));
    expect(chosen(falling, 9).at(-1)).toBe(0);
  });

  test('takes the lowest rate when the path carries less than that', () => {
    expect(chosen([20_000], 1)).toEqual([0]);
  });

  test('does not mistake the queue behind a key frame for a narrow path', () => {
    expect(chosen([2e6, 2e6, 2e6, 2e4, 2e4], 4)).toEqual([2, 2, 2, 2, 2]);
  });

  test('forgets earlier targets where the source begins again', () => {
    const choice = new RenditionChoice(RATES, 1e5);
    choice.next(ticks(900_000), true, 2e6);
    expect(choice.next(ticks(0), true, 2e5)).toBe(0);
  });
});

test('bit rates have equal ratios, and the bounds are among them', () => {
  expect(renditionRates(100_000, 1_600_000, 5)).toEqual([100_000, 200_000, 400_000, 800_000, 1_600_000]);
  expect(renditionRates(100_000, 100_000, 5)).toEqual([100_000]);
});
