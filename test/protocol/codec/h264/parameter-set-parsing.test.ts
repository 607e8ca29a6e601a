import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parsePictureParameterSet } from '../../../../protocol/codec/h264/picture-parameter-set.ts';
import {
  codecString,
  parseSequenceParameterSet,
  reorderFramesMax,
  type SequenceParameterSet,
} from '../../../../protocol/codec/h264/sequence-parameter-set.ts';
import { hex } from '../../bytes.ts';
import { BitWriter } from '../nal/bit-writer.ts';
import { pictureSet, sequenceSet } from './streams.ts';

function sps(bytes: Uint8Array): SequenceParameterSet {
  const result = parseSequenceParameterSet(bytes);
  if (!result.ok) throw new Error(result.malformed);
  return result.value;
}

describe('a sequence parameter set written by x264', () => {
  test('for 640 × 360 at 30 frames a second, High profile', () => {
    const set = sps(hex('6764001eacd940a02ff970110000030001000003003c0f162d96'));
    expect(set).toEqual({
      id: 0,
      profile: 100,
      constraints: 0,
      level: 30,
      chromaFormat: 1,
      separateColorPlanes: false,
      bitDepthLuma: 8,
      bitDepthChroma: 8,
      frameNumberBits: 4,
      pictureOrder: { type: 0, lsbBits: 6 },
      referenceFramesMax: 4,
      gapsInFrameNumberAllowed: false,
      width: 640,
      height: 360,
      macroblocks: 920,
      framesOnly: true,
      framesPerSecond: 30,
      reorderFrames: 2,
      signal: { sampleAspect: { width: 1, height: 1 } },
      usabilityPlace: { headerBytes: 1, at: expect.any(Number), flagsBehind: 6 },
    });
    expect(codecString(set)).toBe('avc1.64001e');
  });

  test('for interlaced 1920 × 1080 at 29.97: cropping is in pairs of lines of a field', () => {
    const set = sps(hex('67640028acd94078044fde022000007d20001d4c03e2c5b2c0'));
    expect(set).toMatchObject({ width: 1920, height: 1080, framesOnly: false, macroblocks: 8160, reorderFrames: 2 });
    expect(set.framesPerSecond).toBeCloseTo(30_000 / 1001, 9);
  });

  test('for Baseline: no reordering', () => {
    const set = sps(hex('6742c00bd902c4ec0440000003004000000c83c50a92'));
    expect(set).toMatchObject({ width: 176, height: 144, pictureOrder: { type: 2 }, reorderFrames: 0 });
    expect(codecString(set)).toBe('avc1.42c00b');
  });
});

describe('a sequence parameter set', () => {
  test('is parsed up to damage in the usability information', () => {
    const whole = sequenceSet({ timing: [1, 50], reorderFrames: 2 });
    expect(sps(whole)).toMatchObject({ width: 64, framesPerSecond: 25, reorderFrames: 2 });
    expect(sps(whole.slice(0, -6))).toMatchObject({ width: 64, reorderFrames: undefined });
  });

  test('is malformed when truncated before', () => {
    expect(parseSequenceParameterSet(sequenceSet().slice(0, 5)).ok).toBe(false);
    expect(parseSequenceParameterSet(hex('67'))).toEqual({ ok: false, malformed: 'sps-too-short' });
  });

  test.each([
    ['a timing of zero', [0, 0]],
    ['a frame rate of nearly nothing', [90_000, 1]],
    ['a tick of the system clock', [1, 90_000_000]],
  ] as const)('gives no frame rate for %s', (_, timing) => {
    expect(sps(sequenceSet({ timing })).framesPerSecond).toBeUndefined();
  });

  test('with scaling lists is parsed past them', () => {
    const writer = new BitWriter().bits(100, 8).bits(0, 8).bits(31, 8).unsigned(3).unsigned(1).unsigned(0).unsigned(0);
    writer.flag(false).flag(true);
    writer.flag(true).signed(-8); // first list: the scale becomes 0, the rest is default
    writer.flag(true); // second list in full
    for (let entry = 0; entry < 16; entry += 1) writer.signed(1);
    for (let list = 2; list < 8; list += 1) writer.flag(false);
    writer.unsigned(0).unsigned(2).unsigned(1).flag(false).unsigned(9).unsigned(8).flag(true).flag(true).flag(false);
    writer.flag(false);
    expect(sps(writer.nalUnit(0x67))).toMatchObject({ id: 3, width: 160, height: 144, pictureOrder: { type: 2 } });
  });

  test('with cropping that leaves nothing is not cropped', () => {
    const writer = new BitWriter().bits(66, 8).bits(0, 8).bits(10, 8).unsigned(0).unsigned(0).unsigned(2);
    writer.unsigned(1).flag(false).unsigned(0).unsigned(0).flag(true).flag(true).flag(true);
    writer.unsigned(0).unsigned(8).unsigned(0).unsigned(0).flag(false);
    expect(sps(writer.nalUnit(0x67))).toMatchObject({ width: 16, height: 16 });
  });
});

describe('reorderFramesMax', () => {
  test('is the declared value', () => {
    expect(reorderFramesMax(sps(sequenceSet({ reorderFrames: 1 })))).toBe(1);
  });

  test('is 0 when picture order is decode order', () => {
    expect(reorderFramesMax(sps(sequenceSet({ orderType: 2 })))).toBe(0);
  });

  test('is otherwise limited by the level (Table A-1)', () => {
    expect(reorderFramesMax(sps(sequenceSet()))).toBe(16); // 396 / 16 macroblocks, at most 16
    expect(reorderFramesMax({ ...sps(sequenceSet()), level: 40, macroblocks: 8160 })).toBe(4);
    expect(reorderFramesMax({ ...sps(sequenceSet()), level: 31, macroblocks: 3600 })).toBe(5);
  });
});

describe('a picture parameter set', () => {
  test('written by x264', () => {
    expect(parsePictureParameterSet(hex('68ebe3cb22c0'))).toEqual({
      ok: true,
      value: {
        id: 0,
        sequenceParameterSetId: 0,
        bottomFieldOrderPresent: false,
        referencesDefault: [3, 1],
        weightedPrediction: true,
        weightedBiprediction: 2,
        redundantPictureCountPresent: false,
      },
    });
  });

  test('with slice groups of every type is parsed past them', () => {
    for (const type of [0, 1, 2, 3, 4, 5, 6]) {
      const writer = new BitWriter().unsigned(7).unsigned(2).flag(false).flag(true).unsigned(1).unsigned(type);
      if (type === 0) writer.unsigned(5).unsigned(6);
      if (type === 2) writer.unsigned(5).unsigned(6);
      if (type >= 3 && type <= 5) writer.flag(true).unsigned(4);
      if (type === 6) writer.unsigned(3).bits(0b0110, 4);
      writer.unsigned(1).unsigned(0).flag(false).bits(1, 2).signed(-3).signed(0).signed(2).bits(0, 2).flag(true);
      const result = parsePictureParameterSet(writer.nalUnit(0x68));
      expect(result, `type ${type}`).toMatchObject({
        ok: true,
        value: { id: 7, sequenceParameterSetId: 2, referencesDefault: [2, 1], redundantPictureCountPresent: true },
      });
    }
  });

  test('that is truncated is malformed', () => {
    expect(parsePictureParameterSet(pictureSet().slice(0, 2))).toEqual({ ok: false, malformed: 'pps-too-short' });
  });
});

test('never throws on arbitrary bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      expect(typeof parseSequenceParameterSet(bytes).ok).toBe('boolean');
      expect(typeof parsePictureParameterSet(bytes).ok).toBe('boolean');
    }),
  );
});
