import type { Importance } from '../../protocol/access-unit.ts';
import type { Instant, Ticks } from '../../protocol/base/units.ts';
import type { PayloadRange } from '../../protocol/codec/codec.ts';
import type { Sequence } from '../../protocol/rtp/sequence.ts';

/** How a packet got here, once its frame counts it. */
export type PacketArrival = 'on-time' | 'reordered' | 'repaired' | { readonly recoveredInRound: number };

/** One packet on admission: roll-overs counted, retransmissions unwrapped. */
export interface ArrivedPacket extends PayloadRange {
  readonly sequence: Sequence;
  readonly timestamp: Ticks;
  readonly marker: boolean;
  /** Empty in a packet of padding. A view, made anew for each who asks. */
  readonly payload: Uint8Array;
  readonly arrival: PacketArrival;
}

/** A frame of which at least one packet is here, waiting to be whole or to be due. */
export interface PendingFrame {
  /** Counts frames without wrapping; what is missing between two numbers never arrived. */
  readonly number: number;
  readonly timestamp: Ticks;
  readonly decodeTimestamp: Ticks;
  /** A frame before it may be missing of which nothing is known (plain RTP). */
  readonly followsGap: boolean;
  /** `undefined` while it cannot be known: a stranger's frame that is not whole. */
  readonly importance: Importance | undefined;
  /** The sender's word that the frame is decoded and not shown. */
  readonly decodeOnly?: boolean;
  /** First and last sequence number that belong to the frame, as far as they are known. */
  readonly firstSequence: Sequence;
  readonly lastSequence: Sequence;
  /** The highest sequence number of the frame that is here. */
  readonly newestSequence: Sequence;
  readonly receivedPackets: number;
  /** Payload bytes that are here. */
  readonly receivedBytes: number;
  readonly complete: boolean;
  /** When the last packet so far arrived. */
  readonly lastArrivalAt: Instant;
  /** How each packet that is here arrived. */
  readonly arrivals: readonly PacketArrival[];
  /** Payloads that are here, in order. */
  payloads(): readonly PayloadRange[];
  /**
   * Sequence numbers from the first one on that are not here, in order.
   * @param through the last one that is of interest; the last known one unless told. A mark may promise 65,535 packets.
   */
  missing(through?: Sequence): Sequence[];
}

export type Insertion = 'taken' | 'duplicate' | 'behind' | 'inconsistent' | 'overflow';

/** Frames by their order; packets go in as they come. Two kinds: with our frame mark, and for plain RTP. */
export interface FrameBuffer {
  /** Whether decode times are the sender's word, or reckoned. */
  readonly tellsDecodeTimes: boolean;
  /** The number of the frame to be decided next. */
  readonly next: number;
  /** The frame to be decided next; `undefined` if nothing of it is here. */
  head(): PendingFrame | undefined;
  /** The frame right behind the head, where something of it is here and it cannot be due before the head. */
  following(): PendingFrame | undefined;
  /** The frame with the lowest number that is here. */
  earliest(): PendingFrame | undefined;
  /** Whether there is no room for another frame. */
  readonly full: boolean;
  /** Every frame that is here, in order. */
  frames(): Iterable<PendingFrame>;
  /** The head is decided: forget it and turn to the next number. */
  advance(): void;
  /** Frames up to before `number` are decided, nothing of them is here. */
  skipTo(number: number): void;
}
