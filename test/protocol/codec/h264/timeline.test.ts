import { describe, expect, test } from 'vitest';
import type { AccessUnit } from '../../../../protocol/access-unit.ts';
import { Timeline } from '../../../../protocol/codec/nal/timeline.ts';
import { pictureSet, picturesOf, type SliceOptions, sequenceSet, slice } from './streams.ts';

const PPS = pictureSet();
const IDR: SliceOptions = { idr: true, type: 'I', lsb: 0 };
const p = (frameNumber: number, lsb: number): SliceOptions => ({ type: 'P', frameNumber, lsb });
const b = (frameNumber: number, lsb: number): SliceOptions => ({ type: 'B', frameNumber, lsb, referenceIdc: 0 });

function units(sps: Uint8Array, slices: readonly SliceOptions[], timeline = new Timeline()): AccessUnit[] {
  const pictures = picturesOf([sps, PPS, ...slices.map(slice)]);
  return [...pictures.flatMap((picture) => timeline.push(picture)), ...timeline.flush()];
}

const times = (given: readonly AccessUnit[]): (readonly [decode: number, presentation: number])[] =>
  given.map(({ timestamp, decodeTimestamp }) => [decodeTimestamp, timestamp]);

describe('Timeline', () => {
  test('spaces pictures by the frame rate of the sequence parameter set', () => {
    const sps = sequenceSet({ timing: [1, 60], reorderFrames: 0 });
    expect(times(units(sps, [IDR, p(1, 2), p(2, 4)]))).toEqual([
      [0, 0],
      [3000, 3000],
      [6000, 6000],
    ]);
  });

  test('uses the argument for a stream without timing, and 25 by default', () => {
    const sps = sequenceSet({ orderType: 2 });
    const slices: SliceOptions[] = [{ idr: true, type: 'I' }, { frameNumber: 1 }, { frameNumber: 2 }];
    expect(units(sps, slices).map((unit) => unit.timestamp)).toEqual([0, 3600, 7200]);
    const timeline = new Timeline({ framesPerSecond: 30_000 / 1001 });
    expect(units(sps, slices, timeline).map((unit) => unit.timestamp)).toEqual([0, 3003, 6006]);
  });

  test('does not drift when a frame is not a whole number of ticks', () => {
    const sps = sequenceSet({ orderType: 2, timing: [1, 14] });
    const slices = Array.from(
      { length: 71 },
      (_, index): SliceOptions => ({ idr: index === 0, frameNumber: index % 16 }),
    );
    expect(units(sps, slices).at(-1)?.timestamp).toBe(900_000);
  });

  test('shows B pictures in picture order and decodes in stream order', () => {
    const sps = sequenceSet({ timing: [1, 60], reorderFrames: 1 });
    expect(times(units(sps, [IDR, p(1, 6), b(2, 2), b(2, 4), p(2, 12), b(3, 8), b(3, 10)]))).toEqual([
      [-3000, 0],
      [0, 9000],
      [3000, 3000],
      [6000, 6000],
      [9000, 18_000],
      [12_000, 12_000],
      [15_000, 15_000],
    ]);
  });

  test('detects the depth when none is declared', () => {
    const sps = sequenceSet({ timing: [1, 60] });
    expect(times(units(sps, [IDR, p(1, 6), b(2, 2), b(2, 4)]))).toEqual([
      [-3000, 0],
      [0, 9000],
      [3000, 3000],
      [6000, 6000],
    ]);
  });

  test('shows all of a sequence before the next one', () => {
    const sps = sequenceSet({ timing: [1, 60], reorderFrames: 1 });
    const slices = [IDR, p(1, 4), b(2, 2), { ...IDR, idrPictureId: 1 }, p(1, 4), b(2, 2)];
    expect(units(sps, slices).map((unit) => unit.timestamp)).toEqual([0, 6000, 3000, 9000, 15_000, 12_000]);
  });

  test('gives a field half the duration of a frame', () => {
    const sps = sequenceSet({ framesOnly: false, timing: [1, 50], reorderFrames: 0 });
    const slices: SliceOptions[] = [
      { ...IDR, field: 'top' },
      { frameNumber: 0, lsb: 1, field: 'bottom' },
      { frameNumber: 1, lsb: 2, field: 'frame' },
      { frameNumber: 2, lsb: 4, field: 'frame' },
    ];
    expect(units(sps, slices).map((unit) => unit.timestamp)).toEqual([0, 1800, 3600, 7200]);
  });

  test('shows the second field first when its picture order requires it', () => {
    const sps = sequenceSet({ framesOnly: false, timing: [1, 50], reorderFrames: 0 });
    const slices: SliceOptions[] = [
      { ...IDR, lsb: 1, field: 'top' },
      { frameNumber: 0, lsb: 0, field: 'bottom' },
      { frameNumber: 1, lsb: 3, field: 'top' },
      { frameNumber: 1, lsb: 2, field: 'bottom' },
    ];
    expect(times(units(sps, slices))).toEqual([
      [-1800, 1800],
      [0, 0],
      [1800, 5400],
      [3600, 3600],
    ]);
  });

  test('returns at once what is not reordered', () => {
    const sps = sequenceSet({ reorderFrames: 0 });
    const timeline = new Timeline();
    const counts = picturesOf([sps, PPS, slice(IDR), slice(p(1, 2))]).map((picture) => timeline.push(picture).length);
    expect(counts).toEqual([1, 1]);
  });

  test('shows pictures without parameter sets in order of arrival', () => {
    const pictures = picturesOf([slice(IDR), slice(p(1, 6)), slice(b(2, 2))]);
    const timeline = new Timeline();
    const given = [...pictures.flatMap((picture) => timeline.push(picture)), ...timeline.flush()];
    expect(times(given)).toEqual([
      [0, 0],
      [3600, 3600],
      [7200, 7200],
    ]);
  });

  test('keeps NAL units and importance of every picture', () => {
    const sps = sequenceSet({ reorderFrames: 1 });
    const parts = [sps, PPS, slice(IDR), slice(p(1, 4)), slice(b(2, 2))];
    const given = units(sps, [IDR, p(1, 4), b(2, 2)]);
    expect(given.flatMap((unit) => unit.parts)).toEqual(parts);
    expect(given.map((unit) => unit.importance)).toEqual(['key', 'reference', 'discardable']);
  });
});
