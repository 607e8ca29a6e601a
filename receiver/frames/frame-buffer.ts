import type { Importance } from '../../protocol/access-unit.ts';
import type { Instant, Microseconds, Ticks } from '../../protocol/base/units.ts';
import type { PayloadRange } from '../../protocol/codec/codec.ts';
import type { Sequence } from '../../protocol/rtp/sequence.ts';

/** How a packet of a frame arrived. */
export type PacketArrival = 'on-time' | 'reordered' | 'repaired' | { readonly recoveredInRound: number };

/** A packet after admission, with extended numbers, and unwrapped if it was a retransmission. */
export interface ArrivedPacket extends PayloadRange {
  readonly sequence: Sequence;
  readonly timestamp: Ticks;
  readonly marker: boolean;
  /** Empty in a packet of padding only. A view, created on each access. */
  readonly payload: Uint8Array;
  readonly arrival: PacketArrival;
}

/** A frame with at least one packet received, waiting for completion or its deadline. */
export interface PendingFrame {
  /** Extended frame number; a gap between two numbers is a frame that never arrived. */
  readonly number: number;
  readonly timestamp: Ticks;
  readonly decodeTimestamp: Ticks;
  /** Time by which it was sent before its turn, with an earlier picture; absent: 0. */
  readonly sentEarly?: Microseconds;
  /** True when an unknown frame may be missing before it (plain RTP). */
  readonly followsGap: boolean;
  /** `undefined` while unknown: an incomplete frame without frame marks. */
  readonly importance: Importance | undefined;
  /** True when the sender marked the frame as decoded but not shown. */
  readonly decodeOnly?: boolean;
  /** First and last known sequence number of the frame. */
  readonly firstSequence: Sequence;
  readonly lastSequence: Sequence;
  /** Highest sequence number received of the frame. */
  readonly newestSequence: Sequence;
  readonly receivedPackets: number;
  /** Payload bytes received. */
  readonly receivedBytes: number;
  readonly complete: boolean;
  /** Arrival time of the last packet so far. */
  readonly lastArrivalAt: Instant;
  /** Arrival of each received packet. */
  readonly arrivals: readonly PacketArrival[];
  /** Returns the received payloads in order. */
  payloads(): readonly PayloadRange[];
  /**
   * Returns the missing sequence numbers of the frame, in order.
   * @param through upper limit; the last known number by default. Needed because a mark may announce 65,535 packets.
   */
  missing(through?: Sequence): Sequence[];
}

export type PacketInsertion = 'taken' | 'duplicate' | 'behind' | 'inconsistent' | 'overflow';

/**
 * Frames in decode order, to which packets are added as they arrive. Two implementations: with frame marks, and for
 * plain RTP.
 */
export interface FrameBuffer {
  /** True when decode times come from the sender, false when they are estimated. */
  readonly knowsDecodeTimes: boolean;
  /** Number of the next frame to be decided. */
  readonly next: number;
  /** Returns the next frame to be decided; `undefined` when none of its packets has arrived. */
  head(): PendingFrame | undefined;
  /** Returns the frame after the head, when some of it has arrived and its deadline cannot be before the head's. */
  following(): PendingFrame | undefined;
  /** Returns the frame with the lowest number that has arrived at least in part. */
  earliest(): PendingFrame | undefined;
  /** True when there is no room for another frame. */
  readonly full: boolean;
  /** Iterates over all frames in order. */
  frames(): Iterable<PendingFrame>;
  /** Removes the decided head and moves on to the next number. */
  advance(): void;
  /** Moves on to `number`; all frames before it are decided, and none of their packets is held. */
  skipTo(number: number): void;
}
