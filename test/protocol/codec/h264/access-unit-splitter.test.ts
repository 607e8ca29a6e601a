import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AccessUnitSplitter } from '../../../../protocol/codec/h264/access-unit-splitter.ts';
import {
  DELIMITER,
  END_OF_SEQUENCE,
  END_OF_STREAM,
  FILLER,
  nal,
  pictureSet,
  picturesOf,
  RECOVERY_POINT,
  sequenceSet,
  slice,
  USER_DATA,
} from './streams.ts';

const SPS = sequenceSet();
const PPS = pictureSet();
const IDR = slice({ idr: true, type: 'I', lsb: 0 });
const P1 = slice({ frameNumber: 1, lsb: 2 });
const P2 = slice({ frameNumber: 2, lsb: 4 });

/** NAL units of each picture. */
const split = (parts: readonly Uint8Array[]): (readonly Uint8Array[])[] =>
  picturesOf(parts).map((picture) => picture.parts);

describe('a picture is complete', () => {
  test('when the first slice of the next arrives, or the stream ends', () => {
    const splitter = new AccessUnitSplitter();
    expect([SPS, PPS, IDR].map((nalUnit) => splitter.push(nalUnit))).toEqual([undefined, undefined, undefined]);
    expect(splitter.push(P1)?.parts).toEqual([SPS, PPS, IDR]);
    expect(splitter.flush()?.parts).toEqual([P1]);
    expect(splitter.flush()).toBeUndefined();
  });

  test.each([
    ['a delimiter', DELIMITER],
    ['a sequence parameter set', SPS],
    ['a picture parameter set', PPS],
    ['supplemental enhancement', USER_DATA],
    ['a subset sequence parameter set', nal(15, 1)],
    ['a depth parameter set', nal(16, 1)],
    ['a NAL unit of reserved type 17', nal(17, 1)],
    ['a NAL unit of reserved type 18', nal(18, 1)],
  ])('when %s follows, which belongs to the next', (_, first) => {
    expect(split([SPS, PPS, IDR, first, P1])).toEqual([
      [SPS, PPS, IDR],
      [first, P1],
    ]);
  });

  test.each<readonly [string, Uint8Array]>([
    ['end of sequence', END_OF_SEQUENCE],
    ['end of stream', END_OF_STREAM],
    ['filler', FILLER],
    ['an auxiliary slice', nal(19, 0x88)],
    ['a slice extension', nal(0x74, 0x88)],
    ['a depth slice extension', nal(21, 0x88)],
    ['an SPS extension', nal(13, 0x88)],
    ...[0, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31].map((type) => [`type ${type}`, nal(type, 1)] as const),
  ])('with %s, which stays with the ending picture', (_, last) => {
    expect(split([SPS, PPS, IDR, last, P1])).toEqual([[SPS, PPS, IDR, last], [P1]]);
  });
});

describe('a slice is the first of another picture when it differs (H.264 §7.4.1.2.4)', () => {
  const fields = sequenceSet({ framesOnly: false });
  const typeOne = sequenceSet({ orderType: 1 });
  const bottom = pictureSet({ bottomFieldOrder: true });
  test.each([
    ['in frame_num', SPS, PPS, { frameNumber: 1, lsb: 2 }, { frameNumber: 2, lsb: 2 }],
    ['in field_pic_flag', fields, PPS, { field: 'frame', lsb: 2 }, { field: 'top', lsb: 2 }],
    ['in bottom_field_flag', fields, PPS, { field: 'top', lsb: 2 }, { field: 'bottom', lsb: 2 }],
    ['in nal_ref_idc from or to 0', SPS, PPS, { referenceIdc: 0, lsb: 2 }, { referenceIdc: 1, lsb: 2 }],
    ['in pic_order_cnt_lsb', SPS, PPS, { lsb: 2 }, { lsb: 4 }],
    ['in delta_pic_order_cnt_bottom', SPS, bottom, { lsb: 2, deltaBottom: 0 }, { lsb: 2, deltaBottom: 1 }],
    ['in delta_pic_order_cnt[0]', typeOne, PPS, { delta: 0 }, { delta: 2 }],
    ['in being IDR', SPS, PPS, { lsb: 0 }, { idr: true, lsb: 0 }],
    ['in idr_pic_id', SPS, PPS, { idr: true, idrPictureId: 0, lsb: 0 }, { idr: true, idrPictureId: 1, lsb: 0 }],
  ] as const)('%s', (_, sps, pps, first, second) => {
    const before = slice({ type: 'I', ...first });
    const same = slice({ type: 'I', ...first, firstMacroblock: 8 });
    const other = slice({ type: 'I', ...second, firstMacroblock: 8 });
    expect(split([sps, pps, before, same])).toHaveLength(1);
    expect(split([sps, pps, before, other])).toEqual([[sps, pps, before], [other]]);
  });

  test('but not in nal_ref_idc above 0', () => {
    const second = slice({ frameNumber: 1, lsb: 2, referenceIdc: 3, firstMacroblock: 4 });
    expect(split([SPS, PPS, P1, second])).toHaveLength(1);
  });

  test('in pic_parameter_set_id with a lower macroblock; with a higher one, it belongs to the picture', () => {
    const other = pictureSet({ id: 1 });
    const forward = slice({ frameNumber: 1, lsb: 2, pictureSetId: 1, firstMacroblock: 4 });
    const back = slice({ frameNumber: 1, lsb: 2, pictureSetId: 0, firstMacroblock: 3 });
    expect(split([SPS, PPS, other, P1, forward])).toHaveLength(1);
    expect(split([SPS, PPS, other, P1, forward, back])).toHaveLength(2);
  });

  test('in nothing, but begins with macroblock 0 again: a camera whose IDR pictures all have idr_pic_id 0', () => {
    expect(split([SPS, PPS, IDR, IDR, IDR])).toEqual([[SPS, PPS, IDR], [IDR], [IDR]]);
  });

  test('in nothing, but follows an end of sequence', () => {
    const late = slice({ idr: true, type: 'I', lsb: 0, firstMacroblock: 3 });
    expect(split([SPS, PPS, IDR, END_OF_SEQUENCE, late])).toHaveLength(2);
  });
});

describe('slices stay together', () => {
  test('in arbitrary order', () => {
    const slices = [8, 12, 0, 4].map((firstMacroblock) => slice({ frameNumber: 1, lsb: 2, firstMacroblock }));
    expect(split([SPS, PPS, ...slices])).toHaveLength(1);
  });

  test('with redundant ones after them', () => {
    const redundant = pictureSet({ redundant: true });
    const primary = slice({ frameNumber: 1, lsb: 2, redundantCount: 0 });
    const again = slice({ frameNumber: 1, lsb: 2, redundantCount: 1 });
    const next = slice({ frameNumber: 2, lsb: 4, redundantCount: 0 });
    expect(split([SPS, redundant, primary, again, next])).toEqual([[SPS, redundant, primary, again], [next]]);
  });

  test('in data partitions A, B and C', () => {
    const a = slice({ frameNumber: 1, lsb: 2, nalUnitType: 2 });
    const second = slice({ frameNumber: 1, lsb: 2, nalUnitType: 2, firstMacroblock: 5 });
    const next = slice({ frameNumber: 2, lsb: 4, nalUnitType: 2 });
    const picture = [SPS, PPS, a, nal(0x43, 0x88), nal(0x44, 0x88), second, nal(0x43, 0x88)];
    expect(split([...picture, next])).toEqual([picture, [next]]);
  });

  test('with a prefix in front of each, which belongs to its slice', () => {
    const prefix = nal(0x6e, 0x40, 0, 0);
    const second = slice({ idr: true, type: 'I', lsb: 0, firstMacroblock: 8 });
    const picture = [SPS, PPS, prefix, IDR, prefix, second, nal(0x74, 1)];
    expect(split([...picture, prefix, P1])).toEqual([picture, [prefix, P1]]);
  });

  test('even 8,000 of them', () => {
    const sps = sequenceSet({ orderType: 2 });
    const slices = Array.from({ length: 8000 }, (_, index) =>
      slice({ frameNumber: 1, firstMacroblock: index % 16, type: 'I' }),
    ).filter((_, index) => index === 0 || index % 16 !== 0);
    expect(picturesOf([sps, PPS, ...slices])).toHaveLength(1);
  });
});

describe('without parameter sets', () => {
  test('a picture begins with macroblock 0', () => {
    const second = slice({ frameNumber: 1, lsb: 2, firstMacroblock: 4 });
    expect(split([P1, second, P2, second])).toEqual([
      [P1, second],
      [P2, second],
    ]);
  });

  test('a picture without its first slice begins where IDR or reference changes', () => {
    const idr = slice({ idr: true, type: 'I', lsb: 0, firstMacroblock: 4 });
    const discardable = slice({ referenceIdc: 0, lsb: 0, firstMacroblock: 4 });
    const reference = slice({ lsb: 0, firstMacroblock: 4 });
    expect(split([idr, reference, discardable])).toEqual([[idr], [reference], [discardable]]);
  });

  test('a picture has no picture order', () => {
    expect(picturesOf([IDR])[0]).toMatchObject({ pictureOrder: undefined, sequenceParameterSet: undefined });
  });

  test('supplied outside the stream, pictures are complete', () => {
    const splitter = new AccessUnitSplitter();
    splitter.learn(SPS);
    splitter.learn(PPS);
    const [first, second] = picturesOf([IDR, P1], splitter);
    expect(first).toMatchObject({ parts: [IDR], pictureOrder: 0, sequenceParameterSet: { width: 64 } });
    expect(second).toMatchObject({ parts: [P1], pictureOrder: 2 });
  });

  test('a new set applies to the picture after it, not to the one before', () => {
    const wide = sequenceSet({ timing: [1, 50] });
    const [first, second] = picturesOf([SPS, PPS, IDR, wide, IDR]);
    expect(first?.sequenceParameterSet?.framesPerSecond).toBeUndefined();
    expect(second?.sequenceParameterSet?.framesPerSecond).toBe(25);
  });
});

describe('importance', () => {
  const I1 = slice({ type: 'I', frameNumber: 1, lsb: 2 });
  const kinds = (parts: readonly Uint8Array[]) =>
    picturesOf([SPS, PPS, ...parts]).map(({ importance, keyFrame }) => [importance, keyFrame]);

  test('an IDR picture is a key, a non-reference picture is discardable', () => {
    const b = slice({ type: 'B', frameNumber: 2, lsb: 4, referenceIdc: 0 });
    expect(kinds([IDR, P1, b])).toEqual([
      ['key', 'idr'],
      ['reference', undefined],
      ['discardable', undefined],
    ]);
  });

  test('a picture with any referenced part is a reference', () => {
    const a = slice({ nalUnitType: 2, frameNumber: 1, lsb: 2 });
    expect(kinds([IDR, a, nal(0x03, 0x88)])[1]).toEqual(['reference', undefined]);
  });

  test('a recovery point is a key, and gradual when not all of its slices are intra', () => {
    const mixed = slice({ type: 'P', frameNumber: 1, lsb: 2, firstMacroblock: 8 });
    expect(kinds([IDR, RECOVERY_POINT, I1])[1]).toEqual(['key', 'recovery-point']);
    expect(kinds([IDR, RECOVERY_POINT, P1])[1]).toEqual(['key', 'gradual']);
    expect(kinds([IDR, RECOVERY_POINT, I1, mixed])[1]).toEqual(['key', 'gradual']);
  });

  test('bytes within another message are not a recovery point', () => {
    expect(kinds([IDR, USER_DATA, I1])[1]).toEqual(['key', 'intra']);
  });

  test('an intra picture is a key until the stream has shown a second IDR or recovery point', () => {
    expect(kinds([IDR, I1, IDR, I1])).toEqual([
      ['key', 'idr'],
      ['key', 'intra'],
      ['key', 'idr'],
      ['reference', 'intra'],
    ]);
  });

  test('an intra picture without references is not a key', () => {
    expect(kinds([slice({ type: 'I', frameNumber: 1, lsb: 2, referenceIdc: 0 })])).toEqual([
      ['discardable', undefined],
    ]);
  });

  test('of two fields only the first is a key, and each is a picture', () => {
    const fields = sequenceSet({ framesOnly: false });
    const top = slice({ type: 'I', frameNumber: 1, lsb: 2, field: 'top' });
    const bottom = slice({ type: 'I', frameNumber: 1, lsb: 3, field: 'bottom' });
    const next = slice({ type: 'I', frameNumber: 2, lsb: 4, field: 'top' });
    expect(picturesOf([fields, PPS, top, bottom, next])).toMatchObject([
      { field: 'top', keyFrame: 'intra', importance: 'key' },
      { field: 'bottom', keyFrame: undefined, importance: 'reference' },
      { field: 'top', keyFrame: 'intra', importance: 'key' },
    ]);
  });
});

describe('damage', () => {
  test('a slice truncated in its header stays with the picture before it', () => {
    const cut = P1.slice(0, 1);
    expect(split([SPS, PPS, IDR, cut, P2])).toEqual([[SPS, PPS, IDR, cut], [P2]]);
  });

  test('NAL units after the last picture are left over, not lost', () => {
    const splitter = new AccessUnitSplitter();
    expect(picturesOf([SPS, PPS, IDR, DELIMITER, USER_DATA], splitter)).toHaveLength(1);
    expect(splitter.leftover).toEqual([DELIMITER, USER_DATA]);
  });

  test('NAL units without a picture are bounded', () => {
    const splitter = new AccessUnitSplitter();
    for (let count = 0; count < 70_000; count += 1) splitter.push(FILLER);
    splitter.flush();
    expect(splitter.nalUnitsDropped).toBe(65_536);
    expect(splitter.leftover).toHaveLength(70_000 - 65_536);
  });

  test('every NAL unit is returned once and in order, whatever the input', () => {
    const any = fc.oneof(
      fc.constantFrom(SPS, PPS, IDR, P1, P2, DELIMITER, RECOVERY_POINT, END_OF_SEQUENCE, nal(0x6e, 1)),
      fc.uint8Array({ minLength: 1, maxLength: 12 }),
    );
    fc.assert(
      fc.property(fc.array(any, { maxLength: 40 }), (parts) => {
        const splitter = new AccessUnitSplitter();
        const pictures = picturesOf(parts, splitter);
        expect([...pictures.flatMap((picture) => picture.parts), ...splitter.leftover]).toEqual(parts);
      }),
    );
  });
});
