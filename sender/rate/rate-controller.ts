import type { Instant, Microseconds } from '../../protocol/base/units.ts';
import type { PathNotice } from '../../protocol/rtcp/recovery-notice.ts';

/** What the receiver says of the path. */
export type RateFeedback = PathNotice;

/**
 * Chooses how much a sender transmits. Media, repair packets and retransmissions share one target: each of them counts in
 * `onSent`, media frames are paced to the target, and those are withheld for which the rest of it leaves no room.
 *
 * A controller is a machine without a clock: it learns the time from its caller, and is called in the order of time.
 */
export interface RateController {
  /** Bytes a second for all that is sent; `undefined` while nothing limits the sender. Changes in the methods alone. */
  readonly target: number | undefined;
  /** The source offers a frame of so many payload bytes, whether or not it will be sent. */
  onOffered(now: Instant, bytes: number): void;
  /** A media packet leaves the pacer, `waited` after its frame was handed over. `onSent` follows with its bytes. */
  onPaced(now: Instant, waited: Microseconds): void;
  /** A datagram of media, repair or retransmission leaves. RTCP is not counted. */
  onSent(now: Instant, bytes: number): void;
  onFeedback(now: Instant, feedback: RateFeedback): void;
}
