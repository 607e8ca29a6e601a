import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ticks } from '../../../protocol/base/units.ts';
import { DecodeOrder } from '../../../receiver/frames/decode-order.ts';

const FRAME = 3_000;

/** Decode times, in frames, of frames that arrive one by one and are decided at once. */
function oneByOne(places: readonly number[]): number[] {
  const order = new DecodeOrder();
  return places.map((place) => {
    const [decodeTimestamp] = order.reckon([ticks(place * FRAME)]);
    order.decide(ticks(place * FRAME));
    return decodeTimestamp! / FRAME;
  });
}

const allAtOnce = (places: readonly number[]): number[] =>
  new DecodeOrder().reckon(places.map((place) => ticks(place * FRAME))).map((timestamp) => timestamp / FRAME);

test('without B-frames the decode time is the presentation time', () => {
  expect(allAtOnce([0, 1, 2, 3, 4])).toEqual([0, 1, 2, 3, 4]);
  expect(oneByOne([7, 8, 9])).toEqual([7, 8, 9]);
});

test('with B-frames decode times ascend evenly, earlier by the reorder depth', () => {
  expect(allAtOnce([0, 3, 1, 2, 6, 4, 5])).toEqual([-1, 0, 1, 2, 3, 4, 5]);
  // A pyramid: P, then the B to which the others refer.
  expect(allAtOnce([0, 4, 2, 1, 3, 8, 6, 5, 7])).toEqual([-2, -1, 0, 1, 2, 3, 4, 5, 6]);
});

test('the depth is learned from the first frame whose timestamp decreases', () => {
  expect(oneByOne([0, 3, 1, 2, 6, 4, 5])).toEqual([0, 3, 1, 2, 3, 4, 5]);
});

test('a lost frame shifts estimates by one frame at most, and not for long', () => {
  expect(allAtOnce([0, 3, /* 1 */ 2, 6, 4, 5])).toEqual([-1, 0, 2, 3, 4, 5]);
  expect(allAtOnce([0, 3, 1, 2, /* 6 */ 4, 5, 9, 7, 8])).toEqual([-1, 0, 1, 2, 3, 4, 5, 7, 8]);
});

test('a pause, or a timestamp with a flipped bit, does not count as reordering', () => {
  expect(allAtOnce([0, 1, 1_000, 1_001])).toEqual([0, 1, 1_000, 1_001]);
  expect(allAtOnce([0, 1, 100_000, 2, 3])).toEqual([0, 1, 100_000, 2, 3]);
  expect(new DecodeOrder().depth).toBe(0);
});

test('a frame is never decoded after its presentation time or before an earlier frame', () => {
  const shuffled = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 2, maxLength: 40 }).map((shifts) =>
    shifts
      .map((shift, index) => ({ index, key: index === 0 ? -1 : index + shift * 1.1 }))
      .sort((a, b) => a.key - b.key)
      .map(({ index }) => index),
  );
  fc.assert(
    fc.property(shuffled, (places) => {
      const decoded = allAtOnce(places);
      for (const [index, place] of places.entries()) {
        expect(decoded[index]).toBeLessThanOrEqual(place);
        if (index > 0) expect(decoded[index]).toBeGreaterThanOrEqual(decoded[index - 1]!);
      }
    }),
  );
});
