import { describe, expect, test } from 'vitest';
import { h265NalUnitType } from '../../../../protocol/codec/h265/nal-unit.ts';
import { Timeline } from '../../../../protocol/codec/nal/timeline.ts';
import { hex } from '../../bytes.ts';
import { BitWriter } from '../nal/bit-writer.ts';
import { PPS, picturesOf, SPS, sampleNalUnits, VPS } from './streams.ts';

/** First slice segment of a picture with PPS 0 and 8 bits of order count. */
function slice(type: number, lsb: number, subLayer = 0): Uint8Array {
  const bits = new BitWriter().flag(true);
  if (type >= 16 && type <= 23) bits.flag(false);
  bits.unsigned(0).unsigned(1);
  if (type !== 19 && type !== 20) bits.bits(lsb, 8);
  return Uint8Array.of(type << 1, subLayer + 1, ...bits.nalUnit(0).subarray(1));
}
const [TRAIL_N, TRAIL_R, RASL_N, BLA, IDR, CRA] = [0, 1, 8, 16, 19, 21] as const;
const SETS = [VPS, SPS, PPS];
const summary = (nalUnits: readonly Uint8Array[]) =>
  picturesOf(nalUnits).map(({ parts, importance, pictureOrder }) => [parts.length, importance, pictureOrder]);

describe('H265AccessUnitSplitter', () => {
  test('reads the sample as ffprobe does: 75 pictures, CRA every 24, leading pictures after each', () => {
    const pictures = picturesOf(sampleNalUnits());
    expect(pictures).toHaveLength(75);
    expect(pictures.flatMap((picture, index) => (picture.importance === 'key' ? [index] : []))).toEqual([
      0, 21, 45, 69,
    ]);
    expect(pictures.flatMap((picture, index) => (picture.refersBeforeEntry ? [index] : []))).toEqual([
      22, 23, 24, 46, 47, 48, 70, 71, 72,
    ]);
    expect(pictures.map(({ pictureOrder }) => pictureOrder!).toSorted((a, b) => a - b)).toEqual([...pictures.keys()]);
    expect(pictures.flatMap(({ parts }) => parts)).toEqual(sampleNalUnits());
    expect(pictures.filter(({ startsSequence }) => startsSequence)).toHaveLength(1);
  });

  test('gives the sample times in picture order, two pictures of reordering ahead', () => {
    const timeline = new Timeline();
    const units = [...picturesOf(sampleNalUnits()).flatMap((picture) => timeline.push(picture)), ...timeline.flush()];
    expect(units.map(({ timestamp }) => timestamp).toSorted((a, b) => a - b)).toEqual(
      units.map((_, index) => index * 3_000),
    );
    expect(units[0]).toMatchObject({ timestamp: 0, decodeTimestamp: -6_000 });
    for (const { timestamp, decodeTimestamp } of units) expect(decodeTimestamp).toBeLessThanOrEqual(timestamp);
  });

  test('begins a picture at parameter sets, delimiters and prefix information, and keeps suffix information with it', () => {
    const suffix = hex('5001 84 10 00000000000000000000000000000000 80');
    expect(summary([...SETS, slice(IDR, 0), suffix, hex('460150'), slice(TRAIL_R, 1), ...SETS, slice(CRA, 2)])).toEqual(
      [
        [5, 'key', 0],
        [2, 'reference', 1],
        [4, 'key', 2],
      ],
    );
  });

  test('keeps the slice segments of a picture together, those of further layers too', () => {
    const further = slice(TRAIL_R, 1);
    further[2]! &= 0x7f;
    const layer = slice(TRAIL_R, 1);
    layer[1]! |= 1 << 3;
    expect(
      summary([...SETS, slice(IDR, 0), slice(TRAIL_R, 1), further, layer, slice(TRAIL_R, 2)]).map(([parts]) => parts),
    ).toEqual([4, 3, 1]);
  });

  test('counts a non-reference picture as discardable only in the highest sub-layer', () => {
    const sets = [VPS, Uint8Array.from(SPS), PPS];
    expect(summary([...sets, slice(IDR, 0), slice(TRAIL_N, 1)])[1]).toEqual([1, 'discardable', 1]);
    // A stream with two sub-layers, as x265 writes it with --temporal-layers.
    const layered = hex(
      '42010201600000030090000003000003003c0000a00a080c1f3e59594aca94985e02d010000003001000000301e080',
    );
    expect(summary([VPS, layered, PPS, slice(IDR, 0), slice(2, 1, 1), slice(TRAIL_N, 2)]).slice(1)).toEqual([
      [1, 'discardable', 1],
      [1, 'reference', 2],
    ]);
  });

  test('continues picture order over CRA and leading pictures, and restarts it at IDR, BLA and an end of sequence', () => {
    const orders = (...nalUnits: Uint8Array[]) =>
      picturesOf([...SETS, ...nalUnits]).map(({ pictureOrder, startsSequence }) => [pictureOrder, startsSequence]);
    expect(orders(slice(CRA, 250), slice(TRAIL_R, 255), slice(TRAIL_R, 4), slice(CRA, 8), slice(RASL_N, 6))).toEqual([
      [250, true],
      [255, false],
      [260, false],
      [264, false],
      [262, false],
    ]);
    expect(orders(slice(IDR, 0), slice(TRAIL_R, 200), slice(BLA, 3), slice(TRAIL_R, 4))).toEqual([
      [0, true],
      [-56, false],
      [3, true],
      [4, false],
    ]);
    expect(orders(slice(IDR, 0), slice(TRAIL_R, 5), hex('4801'), slice(CRA, 1)).at(-1)).toEqual([1, true]);
  });

  test('keeps pictures without parameter sets, and drops NAL units without a header', () => {
    const [picture] = picturesOf([slice(TRAIL_R, 1), hex('26')]);
    expect(picture).toMatchObject({
      importance: 'reference',
      pictureOrder: undefined,
      sequenceParameterSet: undefined,
    });
    expect(picture?.parts.map(h265NalUnitType)).toEqual([TRAIL_R]);
  });
});
