import { isSkippedLeading, isSubLayerNonReference } from './nal-unit.ts';

/** Types 6 to 9, leading pictures; their order counts are no base for those of later pictures. */
const isLeading = (type: number): boolean => type === 6 || type === 7 || isSkippedLeading(type);

/**
 * Picture order count (H.265 §8.3.1) of consecutive pictures in decode order. Within a coded video sequence, pictures
 * are shown in ascending order of it.
 */
export class H265PictureOrder {
  #previous = { msb: 0, lsb: 0 };

  /**
   * Returns the count of the next picture; call once per picture.
   * @param picture.startsSequence true for a random access point at which the count restarts.
   */
  next(picture: {
    readonly type: number;
    readonly temporalId: number;
    readonly startsSequence: boolean;
    readonly orderLsb: number;
    readonly orderLsbBits: number;
  }): number {
    const { orderLsb, type } = picture;
    const range = 2 ** picture.orderLsbBits;
    let msb = 0;
    if (!picture.startsSequence) {
      const ahead = orderLsb - this.#previous.lsb;
      msb = this.#previous.msb;
      if (-ahead >= range / 2) msb += range;
      else if (ahead > range / 2) msb -= range;
    }
    const isBase = picture.temporalId === 0 && !isLeading(type) && !isSubLayerNonReference(type);
    if (isBase) this.#previous = { msb, lsb: orderLsb };
    return msb + orderLsb;
  }
}
