import type { Instant, Microseconds } from '../../protocol/base/units.ts';
import type { PathNotice } from '../../protocol/rtcp/recovery-notice.ts';

/** The receiver's measurements of the path. */
export type RateFeedback = PathNotice;

/**
 * Controls the sending rate. Media, repair packets and retransmissions share one target: all of them count in `onSent`;
 * media frames are paced to the target and withheld when the remainder leaves no room.
 *
 * A controller has no clock: times are passed in, in ascending order.
 */
export interface RateController {
  /** Target in bytes per second for everything sent; `undefined` while unlimited. Changes only within method calls. */
  readonly target: number | undefined;
  /** The source offers a frame of this many payload bytes; it may still be withheld. */
  onOffered(now: Instant, bytes: number): void;
  /** A media packet leaves the pacer, `waited` after its frame was handed over. `onSent` follows with its size. */
  onPaced(now: Instant, waited: Microseconds): void;
  /** A datagram of media, repair or retransmission leaves. RTCP is not counted. */
  onSent(now: Instant, bytes: number): void;
  onFeedback(now: Instant, feedback: RateFeedback): void;
}
