/**
 * NAL unit header, one byte (H.264 §7.3.1, RFC 6184 §1.3):
 *
 *     0 1 2 3 4 5 6 7
 *    +-+-+-+-+-+-+-+-+
 *    |F|NRI|  Type   |
 *    +-+-+-+-+-+-+-+-+
 *
 * F: forbidden_zero_bit, 1 when known to be damaged; NRI: nal_ref_idc, 0 when no picture refers to it; Type:
 * nal_unit_type, 0 to 31 (H.264 Table 7-1).
 */
export const NAL_UNIT_TYPE = {
  slice: 1,
  partitionA: 2,
  partitionB: 3,
  partitionC: 4,
  idrSlice: 5,
  supplementalEnhancement: 6,
  sequenceParameterSet: 7,
  pictureParameterSet: 8,
  accessUnitDelimiter: 9,
  endOfSequence: 10,
  endOfStream: 11,
  filler: 12,
  sequenceParameterSetExtension: 13,
  prefix: 14,
  subsetSequenceParameterSet: 15,
  depthParameterSet: 16,
  auxiliarySlice: 19,
  sliceExtension: 20,
  depthSliceExtension: 21,
} as const;

/** nal_unit_type, 0 to 31; an empty NAL unit counts as type 0 (unspecified). */
export function nalUnitType(nalUnit: Uint8Array): number {
  return (nalUnit[0] ?? 0) & 0x1f;
}

/** nal_ref_idc, 0 to 3; 0 when no picture refers to it. */
export function nalReferenceIdc(nalUnit: Uint8Array): number {
  return ((nalUnit[0] ?? 0) >> 5) & 3;
}

/** True for the NAL units of a primary coded picture: slices and their partitions, types 1 to 5 (H.264 Table 7-1). */
export function isCodedSlice(type: number): boolean {
  return type >= NAL_UNIT_TYPE.slice && type <= NAL_UNIT_TYPE.idrSlice;
}
