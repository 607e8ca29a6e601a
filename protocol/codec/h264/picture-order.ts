import type { PictureOrderCoding, SequenceParameterSet } from './sequence-parameter-set.ts';
import type { SliceHeader } from './slice-header.ts';

/**
 * Picture order count (H.264 §8.2.1) of consecutive pictures in decode order. Within a coded video sequence, pictures
 * are shown in ascending order of it. That of a frame is the lesser of its two fields'.
 *
 * A picture with memory_management_control_operation 5 ends the sequence before it, like an IDR picture: all earlier
 * pictures are shown first (§C.4.4), and its own count is that after the operation, relative to zero.
 */
export class PictureOrder {
  #previousReference = { msb: 0, lsb: 0 };
  #previousFrameNumber = 0;
  #frameNumberOffset = 0;

  /** Returns the count of the next picture; call once per picture, with its first slice. */
  next(header: SliceHeader, sps: SequenceParameterSet): number {
    const [top, bottom] = this.#counts(header, sps);
    const order = header.field === 'frame' ? Math.min(top, bottom) : header.field === 'top' ? top : bottom;
    if (!header.forgetsAll) return order;
    // §8.2.1: after the operation, counts are relative to this picture's own, and frame_num counts as 0.
    this.#previousReference = { msb: 0, lsb: header.field === 'bottom' ? 0 : top - order };
    this.#previousFrameNumber = 0;
    this.#frameNumberOffset = 0;
    return 0;
  }

  #counts(header: SliceHeader, sps: SequenceParameterSet): readonly [top: number, bottom: number] {
    const coding = sps.pictureOrder;
    if (coding.type === 0) return this.#countsFromLsb(header, 2 ** coding.lsbBits);
    if (header.idr) this.#frameNumberOffset = 0;
    else if (this.#previousFrameNumber > header.frameNumber) this.#frameNumberOffset += 2 ** sps.frameNumberBits;
    this.#previousFrameNumber = header.frameNumber;
    const frame = this.#frameNumberOffset + header.frameNumber;
    if (coding.type === 1) return countsFromCycle(header, coding, frame);
    // §8.2.1.3: output order is decode order; non-reference pictures get odd counts.
    const count = header.idr ? 0 : 2 * frame - (header.referenceIdc === 0 ? 1 : 0);
    return [count, count];
  }

  /** §8.2.1.1: the low bits are transmitted, the high bits follow from the previous reference picture. */
  #countsFromLsb(header: SliceHeader, range: number): readonly [top: number, bottom: number] {
    if (header.idr) this.#previousReference = { msb: 0, lsb: 0 };
    const previous = this.#previousReference;
    const ahead = header.orderLsb - previous.lsb;
    let msb = previous.msb;
    if (-ahead >= range / 2) msb += range;
    else if (ahead > range / 2) msb -= range;
    if (header.referenceIdc !== 0) this.#previousReference = { msb, lsb: header.orderLsb };
    const count = msb + header.orderLsb;
    return [count, count + header.orderDeltaBottom];
  }
}

/** §8.2.1.2: the expected count from a cycle of offsets between reference frames, plus the transmitted difference. */
function countsFromCycle(
  header: SliceHeader,
  coding: Extract<PictureOrderCoding, { readonly type: 1 }>,
  frame: number,
): readonly [top: number, bottom: number] {
  const { offsetsForReference } = coding;
  const cycle = offsetsForReference.length;
  let absoluteFrame = cycle === 0 ? 0 : frame;
  if (header.referenceIdc === 0 && absoluteFrame > 0) absoluteFrame -= 1;
  let expected = 0;
  if (absoluteFrame > 0) {
    const cycles = Math.floor((absoluteFrame - 1) / cycle);
    const within = (absoluteFrame - 1) % cycle;
    for (const [index, offset] of offsetsForReference.entries())
      expected += offset * (cycles + (index <= within ? 1 : 0));
  }
  if (header.referenceIdc === 0) expected += coding.offsetForNonReference;
  const top = expected + header.orderDelta[0];
  const bottom = top + coding.offsetForTopToBottom;
  return [top, header.field === 'frame' ? bottom + header.orderDelta[1] : bottom];
}
