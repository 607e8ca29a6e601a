import { BitCursor } from '../../base/bit-cursor.ts';
import { OBU_TYPE, obuHeader, obuType } from './obu.ts';
import { type Av1SequenceHeader, SELECTED_BY_FRAME } from './sequence-header.ts';

/** Beginning of uncompressed_header (AV1 specification §5.9.2). */
export type Av1FrameHeader =
  /** A frame decoded before is shown; nothing is decoded. */
  | { readonly kind: 'existing'; readonly slot: number }
  | {
      readonly kind: 'coded';
      readonly isKey: boolean;
      readonly isShown: boolean;
      /** refresh_frame_flags: reference slots that hold this frame from now on. */
      readonly refreshes: number;
    };

const KEY_FRAME = 0;
const INTRA_ONLY_FRAME = 2;
const SWITCH_FRAME = 3;
const ALL_SLOTS = 0xff;

/** True for an OBU that begins a frame. */
export function beginsAv1Frame(obu: Uint8Array): boolean {
  const type = obuType(obu);
  return type === OBU_TYPE.frame || type === OBU_TYPE.frameHeader;
}

/** True for the beginning of a shown key frame; without the sequence header, which a still picture in reduced form needs. */
export function isShownKeyFrame(obu: Uint8Array): boolean {
  if (!beginsAv1Frame(obu)) return false;
  const cursor = new BitCursor(obu, obuHeader(obu).bodyAt);
  const [isExisting, type, isShown] = [cursor.flag(), cursor.bits(2), cursor.flag()];
  return !isExisting && type === KEY_FRAME && isShown && !cursor.overrun;
}

/** Parses the header of an OBU that begins a frame; `undefined` when it is none, or truncated. */
export function parseAv1FrameHeader(obu: Uint8Array, sequence: Av1SequenceHeader): Av1FrameHeader | undefined {
  if (!beginsAv1Frame(obu)) return undefined;
  const { bodyAt, ...layers } = obuHeader(obu);
  const cursor = new BitCursor(obu, bodyAt);
  const header = sequence.isReducedStillPicture
    ? ({ kind: 'coded', isKey: true, isShown: true, refreshes: ALL_SLOTS } as const)
    : readHeader(cursor, sequence.frames, layers);
  return cursor.overrun ? undefined : header;
}

type Layers = Pick<ReturnType<typeof obuHeader>, 'temporalLayer' | 'spatialLayer'>;

function readHeader(cursor: BitCursor, form: Av1SequenceHeader['frames'], layers: Layers): Av1FrameHeader {
  if (cursor.flag()) return { kind: 'existing', slot: cursor.bits(3) };
  const [type, isShown] = [cursor.bits(2), cursor.flag()];
  if (isShown) cursor.bits(form.presentationTimeBits);
  else cursor.flag(); // showable_frame
  const isKey = type === KEY_FRAME;
  const startsOver = type === SWITCH_FRAME || (isKey && isShown);
  if (startsOver) return { kind: 'coded', isKey, isShown, refreshes: ALL_SLOTS };
  const isResilient = cursor.flag();
  cursor.flag(); // disable_cdf_update
  const { screenContentTools, integerMotion, frameIdBits, orderHintBits } = form;
  const hasTools = screenContentTools === SELECTED_BY_FRAME ? cursor.flag() : screenContentTools === 1;
  if (hasTools && integerMotion === SELECTED_BY_FRAME) cursor.flag();
  cursor.bits(frameIdBits);
  cursor.flag(); // frame_size_override_flag
  cursor.bits(orderHintBits);
  const isIntra = isKey || type === INTRA_ONLY_FRAME;
  if (!isIntra && !isResilient) cursor.bits(3); // primary_ref_frame
  skipRemovalTimes(cursor, form, layers);
  return { kind: 'coded', isKey, isShown, refreshes: cursor.bits(8) };
}

function skipRemovalTimes(cursor: BitCursor, form: Av1SequenceHeader['frames'], layers: Layers): void {
  if (form.removalTimeBits === undefined || !cursor.flag()) return;
  for (const { idc, hasDecoderModel } of form.operatingPoints) {
    if (!hasDecoderModel) continue;
    const isIn = ((idc >> layers.temporalLayer) & 1) === 1 && ((idc >> (layers.spatialLayer + 8)) & 1) === 1;
    if (idc === 0 || isIn) cursor.bits(form.removalTimeBits);
  }
}
