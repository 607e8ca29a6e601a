import type { H264Picture } from '../../../../protocol/codec/h264/access-unit-splitter.ts';
import { AccessUnitSplitter } from '../../../../protocol/codec/h264/access-unit-splitter.ts';
import { BitWriter } from '../nal/bit-writer.ts';

export interface SequenceOptions {
  readonly id?: number;
  /** pic_order_cnt_type; in type 1 a cycle has one reference, two counts forward, and -1 for the others. */
  readonly orderType?: 0 | 1 | 2;
  readonly framesOnly?: boolean;
  /** [num_units_in_tick, time_scale] */
  readonly timing?: readonly [number, number];
  readonly reorderFrames?: number;
  readonly profile?: number;
  /** chroma_format_idc (0 to 2) and bit depth, which only profiles above Main have. */
  readonly chroma?: readonly [format: number, depth: number];
}

/** A sequence parameter set: 64 × 64 samples, level 1.0, frame_num of 4 bits, pic_order_cnt_lsb of 4 bits. */
export function sequenceSet(options: SequenceOptions = {}): Uint8Array {
  const { id = 0, orderType = 0, framesOnly = true, timing, reorderFrames, profile = 77, chroma } = options;
  const writer = new BitWriter().bits(profile, 8).bits(0, 8).bits(10, 8).unsigned(id);
  if (chroma)
    writer
      .unsigned(chroma[0])
      .unsigned(chroma[1] - 8)
      .unsigned(chroma[1] - 8)
      .flag(false)
      .flag(false);
  writer.unsigned(0).unsigned(orderType);
  if (orderType === 0) writer.unsigned(0);
  if (orderType === 1) writer.flag(false).signed(-1).signed(1).unsigned(1).signed(2);
  writer
    .unsigned(4)
    .flag(false)
    .unsigned(3)
    .unsigned(framesOnly ? 3 : 1);
  writer.flag(framesOnly);
  if (!framesOnly) writer.flag(false);
  writer.flag(true).flag(false);
  writer.flag(timing !== undefined || reorderFrames !== undefined);
  if (timing !== undefined || reorderFrames !== undefined) {
    writer.bits(0, 4).flag(timing !== undefined);
    if (timing !== undefined) writer.bits(timing[0], 32).bits(timing[1], 32).flag(true);
    writer.bits(0, 3).flag(reorderFrames !== undefined);
    if (reorderFrames !== undefined) {
      writer.flag(true).unsigned(0).unsigned(0).unsigned(10).unsigned(10).unsigned(reorderFrames).unsigned(4);
    }
  }
  return writer.nalUnit(0x67);
}

export interface PictureSetOptions {
  readonly id?: number;
  readonly sequenceId?: number;
  readonly bottomFieldOrder?: boolean;
  readonly redundant?: boolean;
}

export function pictureSet(options: PictureSetOptions = {}): Uint8Array {
  const { id = 0, sequenceId = 0, bottomFieldOrder = false, redundant = false } = options;
  const writer = new BitWriter().unsigned(id).unsigned(sequenceId).flag(false).flag(bottomFieldOrder).unsigned(0);
  writer.unsigned(0).unsigned(0).flag(false).bits(0, 2).signed(0).signed(0).signed(0).bits(0, 2).flag(redundant);
  return writer.nalUnit(0x68);
}

export interface SliceOptions {
  readonly type?: 'P' | 'B' | 'I';
  /** nal_unit_type 5. */
  readonly idr?: boolean;
  /** nal_unit_type when it is neither 1 nor 5. */
  readonly nalUnitType?: number;
  readonly referenceIdc?: number;
  readonly firstMacroblock?: number;
  readonly pictureSetId?: number;
  readonly frameNumber?: number;
  /** Only for sequences with frame_mbs_only_flag 0, where it is always written. */
  readonly field?: 'frame' | 'top' | 'bottom';
  readonly idrPictureId?: number;
  /** pic_order_cnt_lsb; `undefined` when the order type is not 0. */
  readonly lsb?: number | undefined;
  readonly deltaBottom?: number;
  /** delta_pic_order_cnt[0], in order type 1. */
  readonly delta?: number;
  readonly redundantCount?: number;
  readonly forgetsAll?: boolean;
}

/** A slice up to dec_ref_pic_marking, and some bytes of data. Elements are written as the options require. */
export function slice(options: SliceOptions = {}): Uint8Array {
  const { type = 'P', idr = false, referenceIdc = 2, firstMacroblock = 0, pictureSetId = 0, frameNumber = 0 } = options;
  const writer = new BitWriter().unsigned(firstMacroblock).unsigned({ P: 0, B: 1, I: 2 }[type]).unsigned(pictureSetId);
  writer.bits(frameNumber, 4);
  if (options.field !== undefined) writer.flag(options.field !== 'frame');
  if (options.field === 'top' || options.field === 'bottom') writer.flag(options.field === 'bottom');
  if (idr) writer.unsigned(options.idrPictureId ?? 0);
  if (options.lsb !== undefined) writer.bits(options.lsb, 4);
  if (options.deltaBottom !== undefined) writer.signed(options.deltaBottom);
  if (options.delta !== undefined) writer.signed(options.delta);
  if (options.redundantCount !== undefined) writer.unsigned(options.redundantCount);
  if (type === 'B') writer.flag(true);
  if (type !== 'I') writer.flag(false);
  if (type !== 'I') writer.flag(false);
  if (type === 'B') writer.flag(false);
  if (idr) writer.bits(0, 2);
  else if (referenceIdc > 0) {
    writer.flag(options.forgetsAll ?? false);
    if (options.forgetsAll) writer.unsigned(5).unsigned(0);
  }
  writer.bits(0xabcd, 16);
  return writer.nalUnit((referenceIdc << 5) | (options.nalUnitType ?? (idr ? 5 : 1)));
}

export const DELIMITER = Uint8Array.of(0x09, 0xf0);
export const END_OF_SEQUENCE = Uint8Array.of(0x0a);
export const END_OF_STREAM = Uint8Array.of(0x0b);
export const FILLER = Uint8Array.of(0x0c, 0xff, 0x80);
/** An SEI NAL unit with a user data message of 300 bytes followed by a recovery point. */
export const RECOVERY_POINT = Uint8Array.of(0x06, 5, 255, 45, ...new Array(300).fill(7), 6, 1, 0x84, 0x80);
export const USER_DATA = Uint8Array.of(0x06, 5, 2, 6, 1, 0x80);

export const nal = (type: number, ...bytes: number[]): Uint8Array => Uint8Array.of(type, ...bytes);

/** The pictures of these NAL units. */
export function picturesOf(nalUnits: readonly Uint8Array[], splitter = new AccessUnitSplitter()): H264Picture[] {
  const pictures: H264Picture[] = [];
  for (const nalUnit of nalUnits) {
    const picture = splitter.push(nalUnit);
    if (picture !== undefined) pictures.push(picture);
  }
  const last = splitter.flush();
  return last === undefined ? pictures : [...pictures, last];
}
