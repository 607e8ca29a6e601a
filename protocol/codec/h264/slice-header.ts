import { BitReader } from '../nal/bit-reader.ts';
import { NAL_UNIT_TYPE, nalReferenceIdc, nalUnitType } from './nal-unit.ts';
import type { PictureParameterSet } from './picture-parameter-set.ts';
import type { SequenceParameterSet } from './sequence-parameter-set.ts';

/** slice_type modulo 5 (H.264 Table 7-6). */
export const SLICE_TYPE = { P: 0, B: 1, I: 2, SP: 3, SI: 4 } as const;

const SLICE_TYPE_MAX = 9;
const REFERENCES_MAX = 32;
/**
 * A list of 32 references is modified at most once per entry; there are at most two marking operations per reference.
 */
const OPERATIONS_MAX = 66;
/** memory_management_control_operation 5: drop all references, like an IDR picture (§7.4.3.3). */
const FORGET_ALL = 5;

/** Start of a slice header, which can be parsed without parameter sets (§7.3.3). */
export interface SliceStart {
  /** first_mb_in_slice: 0 begins a picture, except with arbitrary slice order. */
  readonly firstMacroblock: number;
  /** slice_type modulo 5: see `SLICE_TYPE`. */
  readonly sliceType: number;
  readonly pictureParameterSetId: number;
}

/** Elements of a slice header that §7.4.1.2.4 compares and §8.2.1 uses for the picture order count. */
export interface SliceHeader extends SliceStart {
  readonly idr: boolean;
  readonly referenceIdc: number;
  readonly frameNumber: number;
  readonly field: 'frame' | 'top' | 'bottom';
  /** idr_pic_id; 0 for pictures that are not IDR. */
  readonly idrPictureId: number;
  /** pic_order_cnt_lsb; 0 when the order type is not 0. */
  readonly orderLsb: number;
  /** delta_pic_order_cnt_bottom; 0 when absent. */
  readonly orderDeltaBottom: number;
  /** delta_pic_order_cnt[0] and [1]; 0 when absent. */
  readonly orderDelta: readonly [number, number];
  /** Above 0 for a slice of a redundant coded picture, which repeats part of the primary picture. */
  readonly redundantPictureCount: number;
  /** True with memory_management_control_operation 5. */
  readonly forgetsAll: boolean;
}

/** Parameter sets of the stream so far. */
export interface ParameterSets {
  pictureParameterSet(id: number): PictureParameterSet | undefined;
  sequenceParameterSet(id: number): SequenceParameterSet | undefined;
}

/**
 * Parses the first three header elements of a NAL unit of type 1, 2, 5 or 19; `undefined` when truncated or invalid.
 */
export function parseSliceStart(nalUnit: Uint8Array): SliceStart | undefined {
  return readStart(new BitReader(nalUnit));
}

/**
 * Parses the header of a NAL unit of type 1, 2, 5 or 19; `undefined` when it is truncated or invalid, or its parameter
 * sets are unknown.
 */
export function parseSliceHeader(nalUnit: Uint8Array, sets: ParameterSets): SliceHeader | undefined {
  const reader = new BitReader(nalUnit);
  const start = readStart(reader);
  if (start === undefined) return undefined;
  const pps = sets.pictureParameterSet(start.pictureParameterSetId);
  if (pps === undefined) return undefined;
  const sps = sets.sequenceParameterSet(pps.sequenceParameterSetId);
  if (sps === undefined) return undefined;
  const idr = nalUnitType(nalUnit) === NAL_UNIT_TYPE.idrSlice;
  const referenceIdc = nalReferenceIdc(nalUnit);
  if (sps.separateColorPlanes) reader.bits(2); // colour_plane_id
  const frameNumber = reader.bits(sps.frameNumberBits);
  const fieldPicture = !sps.framesOnly && reader.flag();
  const field = fieldPicture ? (reader.flag() ? 'bottom' : 'top') : 'frame';
  const idrPictureId = idr ? reader.unsigned() : 0;
  const order = readOrder(reader, sps, pps, field);
  const redundantPictureCount = pps.redundantPictureCountPresent ? reader.unsigned() : 0;
  if (reader.overrun || start.firstMacroblock >= sps.macroblocks) return undefined;
  const forgetsAll = referenceIdc !== 0 && !idr && readForgetsAll(reader, start.sliceType, sps, pps);
  return {
    ...start,
    idr,
    referenceIdc,
    frameNumber,
    field,
    idrPictureId,
    ...order,
    redundantPictureCount,
    forgetsAll,
  };
}

function readStart(reader: BitReader): SliceStart | undefined {
  const firstMacroblock = reader.unsigned();
  const sliceType = reader.unsigned();
  const pictureParameterSetId = reader.unsigned();
  if (reader.overrun || sliceType > SLICE_TYPE_MAX || pictureParameterSetId > 255) return undefined;
  return { firstMacroblock, sliceType: sliceType % 5, pictureParameterSetId };
}

function readOrder(
  reader: BitReader,
  { pictureOrder }: SequenceParameterSet,
  { bottomFieldOrderPresent }: PictureParameterSet,
  field: SliceHeader['field'],
): Pick<SliceHeader, 'orderLsb' | 'orderDeltaBottom' | 'orderDelta'> {
  const both = bottomFieldOrderPresent && field === 'frame';
  if (pictureOrder.type === 0) {
    const orderLsb = reader.bits(pictureOrder.lsbBits);
    return { orderLsb, orderDeltaBottom: both ? reader.signed() : 0, orderDelta: [0, 0] };
  }
  if (pictureOrder.type === 1 && !pictureOrder.deltaAlwaysZero) {
    const first = reader.signed();
    return { orderLsb: 0, orderDeltaBottom: 0, orderDelta: [first, both ? reader.signed() : 0] };
  }
  return { orderLsb: 0, orderDeltaBottom: 0, orderDelta: [0, 0] };
}

/** Parses up to dec_ref_pic_marking (§7.3.3) for operation 5. Damage counts as no operation 5. */
function readForgetsAll(
  reader: BitReader,
  sliceType: number,
  sps: SequenceParameterSet,
  pps: PictureParameterSet,
): boolean {
  const bidirectional = sliceType === SLICE_TYPE.B;
  const predicted = sliceType === SLICE_TYPE.P || sliceType === SLICE_TYPE.SP;
  if (bidirectional) reader.flag(); // direct_spatial_mv_pred_flag
  if (bidirectional || predicted) {
    const references = [...pps.referencesDefault];
    if (reader.flag()) {
      references[0] = reader.unsigned() + 1;
      if (bidirectional) references[1] = reader.unsigned() + 1;
    }
    if (Math.max(...references) > REFERENCES_MAX) return false;
    const lists = references.slice(0, bidirectional ? 2 : 1);
    for (const _ of lists) skipListModification(reader);
    if (bidirectional ? pps.weightedBiprediction === 1 : pps.weightedPrediction) skipWeights(reader, sps, lists);
  }
  return readMarking(reader);
}

/** Skips ref_pic_list_modification (§7.3.3.1): operations with one argument each, up to operation 3. */
function skipListModification(reader: BitReader): void {
  if (!reader.flag()) return;
  for (let count = 0; count < OPERATIONS_MAX && reader.unsigned() !== 3 && !reader.overrun; count += 1) {
    reader.unsigned();
  }
}

/** Skips pred_weight_table (§7.3.3.2): weights and offsets for luma and both chromas of every reference. */
function skipWeights(reader: BitReader, sps: SequenceParameterSet, lists: readonly number[]): void {
  const chroma = sps.chromaFormat !== 0 && !sps.separateColorPlanes;
  reader.unsigned();
  if (chroma) reader.unsigned();
  for (const references of lists) {
    for (let reference = 0; reference < references; reference += 1) {
      if (reader.flag()) skipSigned(reader, 2);
      if (chroma && reader.flag()) skipSigned(reader, 4);
    }
  }
}

function skipSigned(reader: BitReader, count: number): void {
  for (let element = 0; element < count; element += 1) reader.signed();
}

/**
 * Parses dec_ref_pic_marking of a picture that is not IDR (§7.3.3.3): operations with zero to two arguments, up to
 * operation 0.
 */
function readMarking(reader: BitReader): boolean {
  if (!reader.flag()) return false;
  let forgetsAll = false;
  for (let count = 0; count < OPERATIONS_MAX; count += 1) {
    const operation = reader.unsigned();
    if (reader.overrun) return false;
    if (operation === 0) return forgetsAll;
    if (operation === FORGET_ALL) forgetsAll = true;
    else reader.unsigned();
    if (operation === 3) reader.unsigned();
  }
  return false;
}
