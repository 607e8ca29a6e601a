import type { Instant } from '../../protocol/base/units.ts';
import type { Sequence } from '../../protocol/rtp/sequence.ts';

/** What the sender said of the stream's end. */
export interface StreamEnd {
  /** The first frame's number that is no more; NaN: it did not say how many there were. */
  readonly frames: number;
  readonly lastSequence?: Sequence | undefined;
  /** Until then something may still be on its way. */
  readonly waitUntil: Instant;
}
