import { describe, expect, test } from 'vitest';
import { ResolutionSteps } from '../../../io/encoder/resolution-steps.ts';
import { instant, milliseconds } from '../../../protocol/base/units.ts';

const at = (ms: number) => instant(milliseconds(ms));
const HD = { width: 1280, height: 720 };

describe('the size of the picture', () => {
  test('is the largest that the first bit rate bears', () => {
    for (const [bitrate, width] of [
      [3_000_000, 1280],
      [400_000, 960],
      [200_000, 640],
      [40_000, 320],
      [20_000, 320],
    ] as const) {
      const steps = new ResolutionSteps(HD, 30);
      steps.begin(bitrate);
      expect(steps.size.width).toBe(width);
    }
  });

  test('shrinks when the rate stays too low, and grows again later', () => {
    const steps = new ResolutionSteps(HD, 30);
    steps.begin(3_000_000);
    expect(steps.update(at(0), 200_000)).toBe(false);
    expect(steps.update(at(300), 200_000)).toBe(false);
    expect(steps.update(at(400), 200_000)).toBe(true);
    expect(steps.size).toEqual({ width: 640, height: 360 });
    expect(steps.update(at(500), 3_000_000)).toBe(false);
    expect(steps.update(at(2_400), 3_000_000)).toBe(false);
    expect(steps.update(at(2_500), 3_000_000)).toBe(true);
    expect(steps.size).toEqual({ width: 960, height: 540 });
  });

  test('does not follow a dip that ends soon', () => {
    const steps = new ResolutionSteps(HD, 30);
    steps.begin(3_000_000);
    for (let ms = 0; ms < 5_000; ms += 100) {
      const dips = ms % 600 < 300;
      expect(steps.update(at(ms), dips ? 150_000 : 2_000_000)).toBe(false);
    }
  });

  test('is even, keeps the shape of a portrait of odd size, and is not below 90 samples', () => {
    const steps = new ResolutionSteps({ width: 405, height: 721 }, 30);
    steps.begin(1_000_000_000);
    expect(steps.size).toEqual({ width: 404, height: 720 });
    steps.begin(1);
    expect(steps.size).toEqual({ width: 100, height: 180 });
  });

  test('is smaller than the rate would bear where the processor is too slow, down to half', () => {
    const steps = new ResolutionSteps(HD, 30);
    steps.begin(3_000_000);
    expect([steps.limit(), steps.limit(), steps.limit()]).toEqual([true, true, false]);
    expect(steps.size.width).toBe(640);
    expect(steps.update(at(0), 3_000_000)).toBe(false);
    expect(steps.update(at(60_000), 3_000_000)).toBe(false);
    expect(steps.relax()).toBe(true);
    expect(steps.update(at(60_100), 3_000_000)).toBe(false);
    expect(steps.update(at(63_000), 3_000_000)).toBe(true);
    expect(steps.size.width).toBe(960);
  });
});
