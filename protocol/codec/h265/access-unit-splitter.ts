import type { Importance } from '../../access-unit.ts';
import type { CodedPicture, PictureSplitter } from '../nal/coded-picture.ts';
import {
  H265_NAL_UNIT_TYPE,
  h265NalUnitType,
  isBrokenLink,
  isIdr,
  isRandomAccessPoint,
  isSkippedLeading,
  isSliceSegment,
  isSubLayerNonReference,
  layerId,
  NAL_UNIT_HEADER_BYTES,
  temporalId,
} from './nal-unit.ts';
import { H265PictureOrder } from './picture-order.ts';
import { type H265PictureParameterSet, parseH265PictureParameterSet } from './picture-parameter-set.ts';
import { recoveryPictures } from './recovery-point.ts';
import { type H265SequenceParameterSet, parseH265SequenceParameterSet } from './sequence-parameter-set.ts';
import { type H265ParameterSets, type H265SliceHeader, parseH265SliceHeader, startsPicture } from './slice-header.ts';

/** Twice the largest NAL unit that the byte stream splitter lets through. */
const ACCESS_UNIT_BYTES_MAX = 64 * 1024 * 1024;
/** A hundred times the most slice segments of any level (Table A.8: 600). */
const ACCESS_UNIT_NAL_UNITS_MAX = 65_536;

/** The access unit under construction. */
interface Draft {
  readonly parts: Uint8Array[];
  bytes: number;
  /** First slice segment of the base layer. */
  slice:
    | { readonly type: number; readonly temporalId: number; readonly header: H265SliceHeader | undefined }
    | undefined;
  recoveryPictures: number | undefined;
  /** True after an end of sequence or bitstream: what follows begins another one. */
  ended: boolean;
}

const emptyDraft = (): Draft => ({
  parts: [],
  bytes: 0,
  slice: undefined,
  recoveryPictures: undefined,
  ended: false,
});

/**
 * Groups NAL units into pictures (H.265 §7.4.2.4.4). A picture is complete when the next one begins, so each `push` may
 * return the previous picture. Slice segments of further layers (nuh_layer_id above 0) belong to the picture of the base
 * layer before them. A slice segment that does not start a picture belongs to the current one, if there is one. NAL
 * units without a whole header are dropped.
 *
 * A picture is a `key` when it is IDR, BLA or CRA, or a reference picture with a recovery point message (gradual
 * decoding refresh). It is `discardable` when it is a sub-layer non-reference picture of the highest sub-layer: pictures
 * of higher sub-layers may refer to one of a lower (§3.155).
 */
export class H265AccessUnitSplitter implements PictureSplitter, H265ParameterSets {
  readonly #pictureParameterSets = new Map<number, H265PictureParameterSet>();
  readonly #sequenceParameterSets = new Map<number, H265SequenceParameterSet>();
  readonly #pictureOrder = new H265PictureOrder();
  #draft = emptyDraft();
  /** True when the next random access point starts a coded video sequence: the first one, or after an end of sequence. */
  #restarts = true;

  pictureParameterSet(id: number): H265PictureParameterSet | undefined {
    return this.#pictureParameterSets.get(id);
  }

  sequenceParameterSet(id: number): H265SequenceParameterSet | undefined {
    return this.#sequenceParameterSets.get(id);
  }

  /** Takes the next NAL unit; returns the picture that it completes. */
  push(nalUnit: Uint8Array): CodedPicture | undefined {
    if (nalUnit.length < NAL_UNIT_HEADER_BYTES) return undefined;
    const type = h265NalUnitType(nalUnit);
    const isFull = this.#draft.bytes >= ACCESS_UNIT_BYTES_MAX || this.#draft.parts.length >= ACCESS_UNIT_NAL_UNITS_MAX;
    const picture = isFull || this.#begins(nalUnit, type) ? this.#complete() : undefined;
    const draft = this.#draft;
    draft.parts.push(nalUnit);
    draft.bytes += nalUnit.length;
    if (layerId(nalUnit) !== 0) return picture;
    this.#learn(nalUnit, type);
    if (isSliceSegment(type)) {
      draft.slice ??= { type, temporalId: temporalId(nalUnit), header: parseH265SliceHeader(nalUnit, this) };
    } else if (type === H265_NAL_UNIT_TYPE.prefixInformation) draft.recoveryPictures ??= recoveryPictures(nalUnit);
    draft.ended ||= type === H265_NAL_UNIT_TYPE.endOfSequence || type === H265_NAL_UNIT_TYPE.endOfBitstream;
    return picture;
  }

  /** Ends the stream; returns the last picture, if there is one. */
  flush(): CodedPicture | undefined {
    return this.#complete();
  }

  #begins(nalUnit: Uint8Array, type: number): boolean {
    if (this.#draft.slice === undefined) return false;
    if (this.#draft.ended && isSliceSegment(type)) return true;
    if (layerId(nalUnit) !== 0) return false;
    return isSliceSegment(type) ? startsPicture(nalUnit) : startsAccessUnit(type);
  }

  #learn(nalUnit: Uint8Array, type: number): void {
    if (type === H265_NAL_UNIT_TYPE.sequenceParameterSet) {
      const sps = parseH265SequenceParameterSet(nalUnit);
      if (sps.ok) this.#sequenceParameterSets.set(sps.value.id, sps.value);
    } else if (type === H265_NAL_UNIT_TYPE.pictureParameterSet) {
      const pps = parseH265PictureParameterSet(nalUnit);
      if (pps.ok) this.#pictureParameterSets.set(pps.value.id, pps.value);
    }
  }

  #complete(): CodedPicture | undefined {
    const { parts, slice, recoveryPictures: recovery, ended } = this.#draft;
    this.#draft = emptyDraft();
    if (slice === undefined) return undefined;
    const { type, header } = slice;
    const startsSequence = isRandomAccessPoint(type) && (isIdr(type) || isBrokenLink(type) || this.#restarts);
    if (isRandomAccessPoint(type)) this.#restarts = false;
    if (ended) this.#restarts = true;
    const sps = header?.sequenceParameterSet;
    return {
      parts,
      importance: importanceOf({ ...slice, recovery, subLayers: sps?.subLayers ?? 1 }),
      pictureOrder: header && this.#orderOf(slice, header, startsSequence),
      startsSequence,
      field: 'frame',
      sequenceParameterSet: sps,
      reorderFramesMax: sps?.reorderFrames ?? 0,
      refersBeforeEntry: isSkippedLeading(type),
    };
  }

  #orderOf(
    slice: { readonly type: number; readonly temporalId: number },
    { orderLsb, sequenceParameterSet: { orderLsbBits } }: H265SliceHeader,
    startsSequence: boolean,
  ): number {
    return this.#pictureOrder.next({ ...slice, startsSequence, orderLsb, orderLsbBits });
  }
}

function importanceOf(picture: {
  readonly type: number;
  readonly temporalId: number;
  readonly recovery: number | undefined;
  readonly subLayers: number;
}): Importance {
  const { type, temporalId: subLayer, recovery, subLayers } = picture;
  if (isRandomAccessPoint(type)) return 'key';
  if (isSubLayerNonReference(type)) return subLayer >= subLayers - 1 ? 'discardable' : 'reference';
  return recovery === undefined ? 'reference' : 'key';
}

/** True for NAL units that never occur between or after the slice segments of a picture (§7.4.2.4.4). */
function startsAccessUnit(type: number): boolean {
  switch (type) {
    case H265_NAL_UNIT_TYPE.videoParameterSet:
    case H265_NAL_UNIT_TYPE.sequenceParameterSet:
    case H265_NAL_UNIT_TYPE.pictureParameterSet:
    case H265_NAL_UNIT_TYPE.accessUnitDelimiter:
    case H265_NAL_UNIT_TYPE.prefixInformation:
      return true;
    default:
      return (type >= 41 && type <= 44) || (type >= 48 && type <= 55);
  }
}
