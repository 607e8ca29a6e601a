import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type PictureParameterSet,
  parsePictureParameterSet,
} from '../../../../protocol/codec/h264/picture-parameter-set.ts';
import { recoveryFrames } from '../../../../protocol/codec/h264/recovery-point.ts';
import {
  parseSequenceParameterSet,
  type SequenceParameterSet,
} from '../../../../protocol/codec/h264/sequence-parameter-set.ts';
import { type ParameterSets, parseSliceHeader, parseSliceStart } from '../../../../protocol/codec/h264/slice-header.ts';
import { BitWriter } from '../nal/bit-writer.ts';
import { pictureSet, RECOVERY_POINT, sequenceSet, slice, USER_DATA } from './streams.ts';

function setsOf(change: Partial<PictureParameterSet> = {}): ParameterSets {
  const sps = parseSequenceParameterSet(sequenceSet());
  const pps = parsePictureParameterSet(pictureSet());
  if (!sps.ok || !pps.ok) throw new Error('the sets of the tests are good');
  const sequence: SequenceParameterSet = sps.value;
  return {
    pictureParameterSet: (id) => (id === 0 ? { ...pps.value, ...change } : undefined),
    sequenceParameterSet: () => sequence,
  };
}

/** Header of a reference slice of type P (0) or B (1) up to num_ref_idx_active_override_flag. */
const start = (type: number): BitWriter => {
  const writer = new BitWriter().unsigned(0).unsigned(type).unsigned(0).bits(3, 4).bits(6, 4);
  return type === 1 ? writer.flag(true) : writer;
};

describe('a slice header', () => {
  test('is parsed', () => {
    expect(parseSliceHeader(slice({ type: 'B', frameNumber: 9, lsb: 5, firstMacroblock: 7 }), setsOf())).toEqual({
      firstMacroblock: 7,
      sliceType: 1,
      pictureParameterSetId: 0,
      idr: false,
      referenceIdc: 2,
      frameNumber: 9,
      field: 'frame',
      idrPictureId: 0,
      orderLsb: 5,
      orderDeltaBottom: 0,
      orderDelta: [0, 0],
      redundantPictureCount: 0,
      forgetsAll: false,
    });
  });

  test('has operation 5 after list modifications, weights and other operations', () => {
    const writer = start(1).flag(true).unsigned(1).unsigned(0); // two references forward, one backward
    writer.flag(true).unsigned(0).unsigned(2).unsigned(2).unsigned(1).unsigned(3); // list 0 modified twice
    writer.flag(false); // list 1 unmodified
    writer.unsigned(5).unsigned(0); // denominators, then three references
    writer.flag(true).signed(-7).signed(3).flag(true).signed(1).signed(2).signed(3).signed(4);
    writer.flag(false).flag(true).signed(1).signed(2).signed(3).signed(4);
    writer.flag(true).signed(9).signed(9).flag(false);
    writer.flag(true).unsigned(1).unsigned(4).unsigned(2).unsigned(0).unsigned(3).unsigned(1).unsigned(2);
    writer.unsigned(4).unsigned(3).unsigned(6).unsigned(0).unsigned(5).unsigned(0);
    const header = parseSliceHeader(writer.nalUnit(0x61), setsOf({ weightedBiprediction: 1 }));
    expect(header?.forgetsAll).toBe(true);
    // Without the weights, these bits parse differently.
    expect(parseSliceHeader(writer.nalUnit(0x61), setsOf())?.forgetsAll).toBe(false);
  });

  test('has no operation 5 with other operations only', () => {
    const writer = start(0).flag(false).flag(false).flag(true).unsigned(1).unsigned(5).unsigned(0);
    expect(parseSliceHeader(writer.nalUnit(0x61), setsOf())?.forgetsAll).toBe(false);
  });

  test('is undefined when truncated, with an unknown set, or with a macroblock outside the picture', () => {
    expect(parseSliceHeader(slice({ lsb: 5 }).slice(0, 2), setsOf())).toBeUndefined();
    expect(parseSliceHeader(slice({ lsb: 5, pictureSetId: 1 }), setsOf())).toBeUndefined();
    expect(parseSliceHeader(slice({ lsb: 5, firstMacroblock: 16 }), setsOf())).toBeUndefined();
    expect(parseSliceStart(slice({ firstMacroblock: 3, pictureSetId: 1 }))).toEqual({
      firstMacroblock: 3,
      sliceType: 0,
      pictureParameterSetId: 1,
    });
  });

  test('never throws on arbitrary bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const header = parseSliceHeader(bytes, setsOf({ weightedBiprediction: 1, weightedPrediction: true }));
        if (header !== undefined) expect(header).toMatchObject(parseSliceStart(bytes)!);
      }),
    );
  });
});

describe('a recovery point message', () => {
  test('is found after other messages, but not inside them', () => {
    expect(recoveryFrames(RECOVERY_POINT)).toBe(0);
    expect(recoveryFrames(USER_DATA)).toBeUndefined();
    // ue(v) 00100: three frames.
    expect(recoveryFrames(Uint8Array.of(0x06, 6, 1, 0b0010_0100, 0x80))).toBe(3);
  });

  test('is not found in a message longer than its NAL unit', () => {
    expect(recoveryFrames(Uint8Array.of(0x06, 5, 200, 6, 1, 0x84, 0x80))).toBeUndefined();
  });
});
