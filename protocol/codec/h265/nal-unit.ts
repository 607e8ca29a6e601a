/**
 * NAL unit header, two bytes (H.265 §7.3.1.2, RFC 7798 §1.1.4):
 *
 *     0                   1
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |F|   Type    |  LayerId  | TID |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * F: forbidden_zero_bit, 1 when known to be damaged; Type: nal_unit_type, 0 to 63 (H.265 Table 7-1); LayerId:
 * nuh_layer_id, 0 for the pictures that a decoder without extensions shows; TID: TemporalId plus 1.
 */
export const H265_NAL_UNIT_TYPE = {
  raslNonReference: 8,
  raslReference: 9,
  /** Last of the types whose even numbers are sub-layer non-reference pictures. */
  reservedReference: 15,
  blaWithLeading: 16,
  blaAlone: 18,
  idrWithRadl: 19,
  idrAlone: 20,
  cleanRandomAccess: 21,
  reservedRandomAccess: 23,
  /** Last of the types that are slice segments. */
  reservedSlice: 31,
  videoParameterSet: 32,
  sequenceParameterSet: 33,
  pictureParameterSet: 34,
  accessUnitDelimiter: 35,
  endOfSequence: 36,
  endOfBitstream: 37,
  filler: 38,
  prefixInformation: 39,
  suffixInformation: 40,
} as const;

/** Length of the header; a shorter NAL unit is damaged. */
export const NAL_UNIT_HEADER_BYTES = 2;

/** nal_unit_type, 0 to 63; an empty NAL unit counts as 63 (unspecified). */
export function h265NalUnitType(nalUnit: Uint8Array): number {
  return ((nalUnit[0] ?? 0x7e) >> 1) & 0x3f;
}

/** nuh_layer_id, 0 to 63. */
export function layerId(nalUnit: Uint8Array): number {
  return (((nalUnit[0] ?? 0) & 1) << 5) | ((nalUnit[1] ?? 0) >> 3);
}

/** TemporalId, 0 to 6; −1 when the header is damaged. */
export function temporalId(nalUnit: Uint8Array): number {
  return ((nalUnit[1] ?? 0) & 7) - 1;
}

/** True for slice segments of any layer, types 0 to 31. */
export const isSliceSegment = (type: number): boolean => type <= H265_NAL_UNIT_TYPE.reservedSlice;

/** True for intra random access points: BLA, IDR, CRA, types 16 to 23. */
export const isRandomAccessPoint = (type: number): boolean =>
  type >= H265_NAL_UNIT_TYPE.blaWithLeading && type <= H265_NAL_UNIT_TYPE.reservedRandomAccess;

export const isIdr = (type: number): boolean =>
  type === H265_NAL_UNIT_TYPE.idrWithRadl || type === H265_NAL_UNIT_TYPE.idrAlone;

export const isBrokenLink = (type: number): boolean =>
  type >= H265_NAL_UNIT_TYPE.blaWithLeading && type <= H265_NAL_UNIT_TYPE.blaAlone;

/**
 * True for leading pictures that refer to pictures before their random access point (random access skipped leading,
 * RASL): a decoder that starts there cannot decode them.
 */
export const isSkippedLeading = (type: number): boolean =>
  type === H265_NAL_UNIT_TYPE.raslNonReference || type === H265_NAL_UNIT_TYPE.raslReference;

/** True for sub-layer non-reference pictures, the types whose names end in _N: no picture of their sub-layer refers to them. */
export const isSubLayerNonReference = (type: number): boolean =>
  type < H265_NAL_UNIT_TYPE.reservedReference && type % 2 === 0;
