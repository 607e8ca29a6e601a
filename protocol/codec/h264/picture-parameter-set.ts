import { digitsFor } from '../../base/binary-digits.ts';
import { malformed, type Parsed, parsed } from '../../base/parsed.ts';
import { BitReader } from '../nal/bit-reader.ts';

const IDENTIFIER_MAX = 255;
const SEQUENCE_IDENTIFIER_MAX = 31;
const SLICE_GROUPS_MAX = 8;
/** A field has at most twice as many references as a frame's 16. */
const REFERENCES_MAX = 32;

/** Elements of a picture parameter set (H.264 §7.3.2.2) needed to parse slice headers. */
export interface PictureParameterSet {
  /** 0 to 255. */
  readonly id: number;
  /** 0 to 31. */
  readonly sequenceParameterSetId: number;
  /** bottom_field_pic_order_in_frame_present_flag: frames also carry the picture order of their bottom field. */
  readonly bottomFieldOrderPresent: boolean;
  /** num_ref_idx_l0_default_active and …_l1_…, 1 to 32. */
  readonly referencesDefault: readonly [number, number];
  readonly weightedPrediction: boolean;
  /** weighted_bipred_idc: 0 none, 1 explicit, 2 implicit. */
  readonly weightedBiprediction: number;
  readonly redundantPictureCountPresent: boolean;
}

/** Parses a picture parameter set NAL unit up to redundant_pic_cnt_present_flag; only decoders need the rest. */
export function parsePictureParameterSet(nalUnit: Uint8Array): Parsed<PictureParameterSet> {
  const reader = new BitReader(nalUnit);
  const id = reader.unsigned();
  if (id > IDENTIFIER_MAX) return malformed('pps-id');
  const sequenceParameterSetId = reader.unsigned();
  if (sequenceParameterSetId > SEQUENCE_IDENTIFIER_MAX) return malformed('pps-sps-id');
  reader.flag(); // entropy_coding_mode_flag
  const bottomFieldOrderPresent = reader.flag();
  const sliceGroups = reader.unsigned() + 1;
  if (sliceGroups > SLICE_GROUPS_MAX) return malformed('pps-slice-groups');
  if (sliceGroups > 1) skipSliceGroups(reader, sliceGroups);
  const referencesDefault = [reader.unsigned() + 1, reader.unsigned() + 1] as const;
  if (Math.max(...referencesDefault) > REFERENCES_MAX) return malformed('pps-references');
  const weightedPrediction = reader.flag();
  const weightedBiprediction = reader.bits(2);
  reader.signed(); // pic_init_qp_minus26
  reader.signed(); // pic_init_qs_minus26
  reader.signed(); // chroma_qp_index_offset
  reader.bits(2); // deblocking_filter_control_present_flag, constrained_intra_pred_flag
  const redundantPictureCountPresent = reader.flag();
  if (reader.overrun) return malformed('pps-too-short');
  return parsed({
    id,
    sequenceParameterSetId,
    bottomFieldOrderPresent,
    referencesDefault,
    weightedPrediction,
    weightedBiprediction,
    redundantPictureCountPresent,
  });
}

/** Skips flexible macroblock ordering (§7.3.2.2): the map of macroblocks to slice groups. */
function skipSliceGroups(reader: BitReader, sliceGroups: number): void {
  const type = reader.unsigned();
  if (type === 0) {
    for (let group = 0; group < sliceGroups; group += 1) reader.unsigned();
  } else if (type === 2) {
    for (let corner = 0; corner < 2 * (sliceGroups - 1); corner += 1) reader.unsigned();
  } else if (type >= 3 && type <= 5) {
    reader.flag();
    reader.unsigned();
  } else if (type === 6) {
    const units = reader.unsigned() + 1;
    const bits = digitsFor(sliceGroups);
    for (let unit = 0; unit < units && !reader.overrun; unit += 1) reader.bits(bits);
  }
}
