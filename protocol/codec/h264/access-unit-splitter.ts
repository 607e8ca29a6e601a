import type { CodedPicture, PictureSplitter } from '../nal/coded-picture.ts';
import { Draft, type Slice } from './access-unit-draft.ts';
import { isCodedSlice, NAL_UNIT_TYPE, nalReferenceIdc, nalUnitType } from './nal-unit.ts';
import { PictureOrder } from './picture-order.ts';
import { type PictureParameterSet, parsePictureParameterSet } from './picture-parameter-set.ts';
import { recoveryFrames } from './recovery-point.ts';
import { parseSequenceParameterSet, reorderFramesMax, type SequenceParameterSet } from './sequence-parameter-set.ts';
import { type ParameterSets, parseSliceHeader, parseSliceStart, type SliceHeader } from './slice-header.ts';

/**
 * Kinds of random access points, from the safest: `idr` – no later picture refers to anything before it;
 * `recovery-point` – all intra, with a recovery point SEI message (open GOP); `gradual` – any other reference picture
 * with such a message: pictures are correct some frames later (gradual intra refresh, §D.2.8); `intra` – an all-intra
 * reference picture without a message: it decodes correctly itself, but later pictures may refer across it. Never the
 * second field of a frame.
 */
export type KeyFrameKind = 'idr' | 'recovery-point' | 'gradual' | 'intra';

/** A primary coded picture, a frame or a field (H.264 §7.4.1.2.3). */
export interface H264Picture extends CodedPicture {
  readonly keyFrame: KeyFrameKind | undefined;
  readonly sequenceParameterSet: SequenceParameterSet | undefined;
}

/**
 * Groups NAL units into pictures (H.264 §7.4.1.2.3 and §7.4.1.2.4). A picture is complete when the next one begins, so
 * each `push` may return the previous picture. Each field is a picture of its own.
 *
 * Cases that the standard leaves open, or that streams handle differently:
 *
 * - A prefix NAL unit (14) belongs to the slice after it, which may be a further one of the same picture.
 * - Slices that differ in pic_parameter_set_id only stay together while their macroblock addresses ascend: in a
 *   conforming stream the picture order count already separates pictures, and some encoders use one set per slice type.
 * - Two slices that start with macroblock 0 are two pictures: some cameras send only IDR pictures with idr_pic_id 0.
 * - Without parameter sets, or with a damaged header, a picture begins with macroblock 0, or where nal_unit_type
 *   changes to or from IDR, or nal_ref_idc to or from 0. A slice without a valid first macroblock joins the current
 *   picture.
 *
 * A picture is a `key` when it is IDR or a recovery point, including gradual ones. An `intra` picture counts as key
 * until the stream has shown a second IDR picture or recovery point: streams with these do not need the risk; in others
 * (some broadcasts have one IDR picture at the start) it is the only random access point.
 */
export class AccessUnitSplitter implements PictureSplitter, ParameterSets {
  readonly #pictureParameterSets = new Map<number, PictureParameterSet>();
  readonly #sequenceParameterSets = new Map<number, SequenceParameterSet>();
  readonly #pictureOrder = new PictureOrder();
  #draft = new Draft();
  /** Prefix NAL units after a slice; the next NAL unit decides which picture they belong to. */
  #prefixes: Uint8Array[] = [];
  /** First field of a frame, until its second field arrives. */
  #firstField: SliceHeader | undefined;
  #cleanEntries = 0;
  #leftover: readonly Uint8Array[] = [];
  #nalUnitsDropped = 0;

  pictureParameterSet(id: number): PictureParameterSet | undefined {
    return this.#pictureParameterSets.get(id);
  }

  sequenceParameterSet(id: number): SequenceParameterSet | undefined {
    return this.#sequenceParameterSets.get(id);
  }

  /** After `flush`: NAL units after the last picture that belong to a picture that never arrived. */
  get leftover(): readonly Uint8Array[] {
    return this.#leftover;
  }

  /** NAL units discarded because too many (65,536, or 64 MiB) accumulated without a picture. */
  get nalUnitsDropped(): number {
    return this.#nalUnitsDropped;
  }

  /** Registers a parameter set received outside the stream (avcC, SDP); ignores other NAL units. */
  learn(nalUnit: Uint8Array): void {
    const type = nalUnitType(nalUnit);
    if (type === NAL_UNIT_TYPE.sequenceParameterSet) {
      const sps = parseSequenceParameterSet(nalUnit);
      if (sps.ok) this.#sequenceParameterSets.set(sps.value.id, sps.value);
    } else if (type === NAL_UNIT_TYPE.pictureParameterSet) {
      const pps = parsePictureParameterSet(nalUnit);
      if (pps.ok) this.#pictureParameterSets.set(pps.value.id, pps.value);
    }
  }

  /** Takes the next, non-empty NAL unit; returns the picture that it completes. */
  push(nalUnit: Uint8Array): H264Picture | undefined {
    const type = nalUnitType(nalUnit);
    if (type === NAL_UNIT_TYPE.prefix && this.#draft.hasPicture && !this.#draft.ended) {
      this.#prefixes.push(nalUnit);
      return undefined;
    }
    const slice = isCodedSlice(type) ? this.#readSlice(nalUnit, type) : undefined;
    const begins = this.#begins(type, slice);
    const picture = begins || this.#draft.full ? this.#complete() : undefined;
    for (const prefix of this.#prefixes.splice(0)) this.#draft.add(prefix);
    this.learn(nalUnit);
    if (type === NAL_UNIT_TYPE.supplementalEnhancement) this.#draft.recoveryFrames ??= recoveryFrames(nalUnit);
    this.#draft.add(nalUnit);
    if (slice !== undefined) this.#draft.addSlice(slice);
    return picture;
  }

  /** Ends the stream; returns the last picture, if there is one. */
  flush(): H264Picture | undefined {
    for (const prefix of this.#prefixes.splice(0)) this.#draft.add(prefix);
    if (this.#draft.hasPicture) return this.#complete();
    this.#leftover = this.#draft.parts;
    this.#draft = new Draft();
    return undefined;
  }

  #begins(type: number, slice: Slice | undefined): boolean {
    if (!this.#draft.hasPicture) return false;
    if (slice !== undefined) return this.#draft.ended || this.#draft.isFollowedBy(slice);
    // A prefix without a slice after it begins the next access unit.
    return startsAccessUnit(type) || this.#prefixes.length > 0;
  }

  #readSlice(nalUnit: Uint8Array, type: number): Slice {
    const idr = type === NAL_UNIT_TYPE.idrSlice;
    const reference = nalReferenceIdc(nalUnit) !== 0;
    if (type === NAL_UNIT_TYPE.partitionB || type === NAL_UNIT_TYPE.partitionC)
      return { idr, reference, continues: true, start: undefined, header: undefined };
    const header = parseSliceHeader(nalUnit, this);
    return { idr, reference, continues: false, start: header ?? parseSliceStart(nalUnit), header };
  }

  #complete(): H264Picture | undefined {
    const draft = this.#draft;
    this.#draft = new Draft();
    if (!draft.hasPicture) {
      this.#nalUnitsDropped += draft.parts.length;
      return undefined;
    }
    const { header } = draft;
    const sequenceParameterSet = header && this.#sequenceOf(header);
    const keyFrame = this.#keyFrameKind(draft);
    if (keyFrame !== undefined && keyFrame !== 'intra') this.#cleanEntries += 1;
    const key = keyFrame !== undefined && (keyFrame !== 'intra' || this.#cleanEntries < 2);
    return {
      parts: draft.parts,
      importance: key ? 'key' : draft.reference ? 'reference' : 'discardable',
      keyFrame,
      pictureOrder: header && sequenceParameterSet && this.#pictureOrder.next(header, sequenceParameterSet),
      startsSequence: draft.idr || header?.forgetsAll === true,
      field: header?.field ?? 'frame',
      sequenceParameterSet,
      reorderFramesMax: sequenceParameterSet ? reorderFramesMax(sequenceParameterSet) : 0,
      refersBeforeEntry: false,
    };
  }

  #sequenceOf(header: SliceHeader): SequenceParameterSet | undefined {
    const pps = this.#pictureParameterSets.get(header.pictureParameterSetId);
    return pps && this.#sequenceParameterSets.get(pps.sequenceParameterSetId);
  }

  #keyFrameKind(draft: Draft): KeyFrameKind | undefined {
    const second = this.#isSecondField(draft.header);
    if (draft.idr) return 'idr';
    if (second) return undefined;
    if (draft.recoveryFrames === 0 && draft.allIntra) return 'recovery-point';
    if (draft.recoveryFrames !== undefined && draft.reference) return 'gradual';
    if (!draft.allIntra) return undefined;
    return draft.reference ? 'intra' : undefined;
  }

  /** The second field of a frame has the opposite parity and the same frame_num (§7.4.1.2.4, §3.30). */
  #isSecondField(header: SliceHeader | undefined): boolean {
    const first = this.#firstField;
    const second =
      first !== undefined &&
      header !== undefined &&
      header.field !== 'frame' &&
      header.field !== first.field &&
      header.frameNumber === first.frameNumber &&
      !header.idr;
    this.#firstField = second || header?.field === 'frame' ? undefined : header;
    return second;
  }
}

/**
 * True for NAL units that never occur between or after the slices of a picture, so that they begin the next
 * (§7.4.1.2.3).
 */
function startsAccessUnit(type: number): boolean {
  switch (type) {
    case NAL_UNIT_TYPE.supplementalEnhancement:
    case NAL_UNIT_TYPE.sequenceParameterSet:
    case NAL_UNIT_TYPE.pictureParameterSet:
    case NAL_UNIT_TYPE.accessUnitDelimiter:
      return true;
    default:
      return type >= 14 && type <= 18;
  }
}
