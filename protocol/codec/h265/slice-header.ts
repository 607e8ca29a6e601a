import { BitReader } from '../nal/bit-reader.ts';
import { h265NalUnitType, isIdr, isRandomAccessPoint, NAL_UNIT_HEADER_BYTES } from './nal-unit.ts';
import { type H265PictureParameterSet, PICTURE_ID_MAX } from './picture-parameter-set.ts';
import type { H265SequenceParameterSet } from './sequence-parameter-set.ts';

/** Parameter sets of a stream, by identifier. */
export interface H265ParameterSets {
  pictureParameterSet(id: number): H265PictureParameterSet | undefined;
  sequenceParameterSet(id: number): H265SequenceParameterSet | undefined;
}

/** Start of the first slice segment of a picture (H.265 §7.3.6.1). */
export interface H265SliceHeader {
  readonly sequenceParameterSet: H265SequenceParameterSet;
  /** slice_pic_order_cnt_lsb; 0 for IDR pictures, which have none. */
  readonly orderLsb: number;
}

/** first_slice_segment_in_pic_flag: the bit after the NAL unit header. */
export function startsPicture(slice: Uint8Array): boolean {
  return ((slice[NAL_UNIT_HEADER_BYTES] ?? 0) & 0x80) !== 0;
}

/**
 * Parses the header of a slice segment that starts its picture; `undefined` when it is truncated or invalid, does not
 * start a picture, or its parameter sets are unknown.
 */
export function parseH265SliceHeader(nalUnit: Uint8Array, sets: H265ParameterSets): H265SliceHeader | undefined {
  if (!startsPicture(nalUnit)) return undefined;
  const type = h265NalUnitType(nalUnit);
  const reader = new BitReader(nalUnit, NAL_UNIT_HEADER_BYTES);
  reader.flag(); // first_slice_segment_in_pic_flag
  if (isRandomAccessPoint(type)) reader.flag(); // no_output_of_prior_pics_flag
  const id = reader.unsigned();
  if (reader.overrun || id > PICTURE_ID_MAX) return undefined;
  const pps = sets.pictureParameterSet(id);
  const sequenceParameterSet = pps && sets.sequenceParameterSet(pps.sequenceParameterSetId);
  if (pps === undefined || sequenceParameterSet === undefined) return undefined;
  reader.bits(pps.extraSliceHeaderBits);
  if (reader.unsigned() > 2) return undefined; // slice_type
  if (pps.outputFlagPresent) reader.flag(); // pic_output_flag
  if (sequenceParameterSet.separateColorPlanes) reader.bits(2); // colour_plane_id
  const orderLsb = isIdr(type) ? 0 : reader.bits(sequenceParameterSet.orderLsbBits);
  return reader.overrun ? undefined : { sequenceParameterSet, orderLsb };
}
