import { NAL_UNIT_TYPE, nalUnitType } from './nal-unit.ts';
import { SLICE_TYPE, type SliceHeader, type SliceStart } from './slice-header.ts';

/** Twice the largest NAL unit that the byte stream splitter lets through. */
const ACCESS_UNIT_BYTES_MAX = 64 * 1024 * 1024;
/** A thousand times the usual number; pictures with 8,000 slices exist. */
const ACCESS_UNIT_NAL_UNITS_MAX = 65_536;

/** Information in a slice about picture boundaries. */
export interface Slice {
  readonly idr: boolean;
  readonly reference: boolean;
  /** True for data partitions B and C, which belong to the partition A before them. */
  readonly continues: boolean;
  readonly start: SliceStart | undefined;
  readonly header: SliceHeader | undefined;
}

/** The access unit under construction (H.264 §7.4.1.2.3), with the test whether a slice still belongs to it. */
export class Draft {
  readonly parts: Uint8Array[] = [];
  hasPicture = false;
  /** True after an end of sequence or stream: the next slice begins a picture. */
  ended = false;
  /** recovery_frame_cnt of a recovery point message (H.264 §D.2.8). */
  recoveryFrames: number | undefined;
  idr = false;
  reference = false;
  allIntra = true;
  /** Header of the first valid slice of the primary picture. */
  header: SliceHeader | undefined;
  #last: Slice | undefined;
  #hasFirstMacroblock = false;
  #bytes = 0;

  get full(): boolean {
    return this.#bytes >= ACCESS_UNIT_BYTES_MAX || this.parts.length >= ACCESS_UNIT_NAL_UNITS_MAX;
  }

  add(nalUnit: Uint8Array): void {
    this.parts.push(nalUnit);
    this.#bytes += nalUnit.length;
    const type = nalUnitType(nalUnit);
    this.ended ||= type === NAL_UNIT_TYPE.endOfSequence || type === NAL_UNIT_TYPE.endOfStream;
  }

  addSlice(slice: Slice): void {
    this.hasPicture = true;
    this.reference ||= slice.reference;
    if (slice.continues || isRedundant(slice)) return;
    this.idr ||= slice.idr;
    const sliceType = slice.start?.sliceType;
    this.allIntra &&= sliceType === SLICE_TYPE.I || sliceType === SLICE_TYPE.SI;
    this.header ??= slice.header;
    this.#hasFirstMacroblock ||= slice.start?.firstMacroblock === 0;
    // An invalid slice gives nothing to compare the next one with.
    if (slice.start !== undefined) this.#last = slice;
  }

  /** True when the slice is the first of another primary coded picture (§7.4.1.2.4). */
  isFollowedBy(slice: Slice): boolean {
    const last = this.#last;
    if (slice.continues || isRedundant(slice) || slice.start === undefined || last === undefined) return false;
    if (slice.idr !== last.idr || slice.reference !== last.reference) return true;
    if (slice.start.firstMacroblock === 0 && this.#hasFirstMacroblock) return true;
    if (slice.header === undefined || last.header === undefined) return slice.start.firstMacroblock === 0;
    return differ(last.header, slice.header);
  }
}

function isRedundant(slice: Slice): boolean {
  return slice.header !== undefined && slice.header.redundantPictureCount > 0;
}

function differ(last: SliceHeader, next: SliceHeader): boolean {
  if (last.frameNumber !== next.frameNumber) return true;
  if (last.field !== next.field) return true;
  if (last.idrPictureId !== next.idrPictureId) return true;
  if (last.orderLsb !== next.orderLsb) return true;
  if (last.orderDeltaBottom !== next.orderDeltaBottom) return true;
  if (last.orderDelta[0] !== next.orderDelta[0]) return true;
  if (last.orderDelta[1] !== next.orderDelta[1]) return true;
  return last.pictureParameterSetId !== next.pictureParameterSetId && next.firstMacroblock <= last.firstMacroblock;
}
