import type { Instant } from '../../protocol/base/units.ts';
import type { Sequence } from '../../protocol/rtp/sequence.ts';

/** End of the stream, as reported by the sender. */
export interface StreamEnd {
  /** Frame number after the last one; NaN when unknown. */
  readonly frames: number;
  readonly lastSequence?: Sequence | undefined;
  /** Time until which packets may still be in flight. */
  readonly waitUntil: Instant;
}
