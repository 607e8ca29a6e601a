import { malformed, type Parsed, parsed } from '../../base/parsed.ts';
import { BitReader } from '../nal/bit-reader.ts';
import { NAL_UNIT_HEADER_BYTES } from './nal-unit.ts';
import { SEQUENCE_ID_MAX } from './sequence-parameter-set.ts';

/** pps_pic_parameter_set_id (§7.4.3.3.1). */
export const PICTURE_ID_MAX = 63;

/** Elements of a picture parameter set (H.265 §7.3.2.3.1) that change the start of a slice header. */
export interface H265PictureParameterSet {
  /** 0 to 63. */
  readonly id: number;
  readonly sequenceParameterSetId: number;
  readonly outputFlagPresent: boolean;
  /** num_extra_slice_header_bits, 0 to 7. */
  readonly extraSliceHeaderBits: number;
}

/** Parses a picture parameter set NAL unit up to the elements needed here. */
export function parseH265PictureParameterSet(nalUnit: Uint8Array): Parsed<H265PictureParameterSet> {
  const reader = new BitReader(nalUnit, NAL_UNIT_HEADER_BYTES);
  const id = reader.unsigned();
  if (id > PICTURE_ID_MAX) return malformed('pps-id');
  const sequenceParameterSetId = reader.unsigned();
  if (sequenceParameterSetId > SEQUENCE_ID_MAX) return malformed('pps-sps-id');
  reader.flag(); // dependent_slice_segments_enabled_flag
  const outputFlagPresent = reader.flag();
  const extraSliceHeaderBits = reader.bits(3);
  if (reader.overrun) return malformed('pps-too-short');
  return parsed({ id, sequenceParameterSetId, outputFlagPresent, extraSliceHeaderBits });
}
