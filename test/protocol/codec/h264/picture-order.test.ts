import { describe, expect, test } from 'vitest';
import { pictureSet, picturesOf, type SliceOptions, sequenceSet, slice } from './streams.ts';

const PPS = pictureSet();

function orders(sps: Uint8Array, pictures: readonly SliceOptions[]): (number | undefined)[] {
  const parts = pictures.map((options) => slice({ type: options.idr ? 'I' : 'P', ...options }));
  return picturesOf([sps, PPS, ...parts]).map((picture) => picture.pictureOrder);
}

describe('picture order type 0', () => {
  const sps = sequenceSet({ orderType: 0 });

  test('extends the low bits around the last reference picture, in both directions', () => {
    const pictures = [0, 6, 12, 2, 8, 14, 4].map((lsb, index) => ({ idr: index === 0, frameNumber: index, lsb }));
    // 4 bits: 12, then 2 is 18 (nearer than 2), 8 is 24, 14 is 30, 4 is 36
    expect(orders(sps, pictures)).toEqual([0, 6, 12, 18, 24, 30, 36]);
  });

  test('treats a step of half the range, in either direction, as forward', () => {
    const pictures = [0, 8, 0, 8].map((lsb, index) => ({ idr: index === 0, frameNumber: index, lsb }));
    expect(orders(sps, pictures)).toEqual([0, 8, 16, 24]);
  });

  test('decreases for pictures shown before the reference, and keeps the base for non-references', () => {
    expect(
      orders(sps, [
        { idr: true, lsb: 0 },
        { frameNumber: 1, lsb: 6 },
        { frameNumber: 2, lsb: 2, referenceIdc: 0 },
        { frameNumber: 2, lsb: 4, referenceIdc: 0 },
        { frameNumber: 2, lsb: 12 },
        { frameNumber: 3, lsb: 2 },
        { frameNumber: 4, lsb: 14, referenceIdc: 0 },
      ]),
    ).toEqual([0, 6, 2, 4, 12, 18, 14]);
  });

  test('restarts with an IDR picture', () => {
    expect(
      orders(sps, [
        { idr: true, lsb: 0 },
        { frameNumber: 1, lsb: 6 },
        { frameNumber: 2, lsb: 12 },
        { idr: true, lsb: 0 },
        { frameNumber: 1, lsb: 2 },
      ]),
    ).toEqual([0, 6, 12, 0, 2]);
  });

  test('restarts with memory management operation 5, relative to that picture', () => {
    const pictures = [
      { idr: true, lsb: 0 },
      { frameNumber: 1, lsb: 6 },
      { frameNumber: 2, lsb: 12, forgetsAll: true },
      { frameNumber: 1, lsb: 2 },
      { frameNumber: 2, lsb: 4 },
    ];
    expect(orders(sps, pictures)).toEqual([0, 6, 0, 2, 4]);
    const parts = pictures.map((options) => slice({ type: options.idr ? 'I' : 'P', ...options }));
    expect(picturesOf([sps, PPS, ...parts]).map((picture) => picture.startsSequence)).toEqual([
      true,
      false,
      true,
      false,
      false,
    ]);
  });

  test('of a frame is the lesser of its fields', () => {
    const pps = pictureSet({ bottomFieldOrder: true });
    const [first] = picturesOf([sps, pps, slice({ idr: true, type: 'I', lsb: 4, deltaBottom: -1 })]);
    expect(first?.pictureOrder).toBe(3);
  });
});

describe('picture order type 1', () => {
  test('follows the cycle of offsets: two forward for a reference, one back for the others', () => {
    const sps = sequenceSet({ orderType: 1 });
    expect(
      orders(sps, [
        { idr: true, delta: 0 },
        { frameNumber: 1, delta: 0 },
        { frameNumber: 2, delta: 0, referenceIdc: 0 },
        { frameNumber: 2, delta: 0 },
        { frameNumber: 3, delta: 1 },
      ]),
    ).toEqual([0, 2, 1, 4, 7]);
  });

  test('continues past the wrap of frame_num', () => {
    const sps = sequenceSet({ orderType: 1 });
    const pictures = Array.from({ length: 40 }, (_, index) => ({
      idr: index === 0,
      frameNumber: index % 16,
      delta: 0,
    }));
    expect(orders(sps, pictures)).toEqual(pictures.map((_, index) => 2 * index));
  });
});

describe('picture order type 2', () => {
  const sps = sequenceSet({ orderType: 2 });

  test('is the decode order, with odd counts for non-references', () => {
    expect(
      orders(sps, [{ idr: true }, { frameNumber: 1 }, { frameNumber: 2, referenceIdc: 0 }, { frameNumber: 2 }]),
    ).toEqual([0, 2, 3, 4]);
  });

  test('restarts with memory management operation 5, also past a wrap of frame_num', () => {
    const pictures = Array.from({ length: 18 }, (_, index) => ({ idr: index === 0, frameNumber: index % 16 }));
    const after = [{ frameNumber: 2, forgetsAll: true }, { frameNumber: 1 }, { frameNumber: 2 }];
    expect(orders(sps, [...pictures, ...after]).slice(-4)).toEqual([34, 0, 2, 4]);
  });

  test('continues past the wrap of frame_num', () => {
    const pictures = Array.from({ length: 40 }, (_, index) => ({ idr: index === 0, frameNumber: index % 16 }));
    expect(orders(sps, pictures)).toEqual(pictures.map((_, index) => 2 * index));
  });
});
