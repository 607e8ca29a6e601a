import type { Instant, Microseconds } from '../../protocol/base/units.ts';
import type { Sequence, WireSequence } from '../../protocol/rtp/sequence.ts';
import type { StrategyParameters } from '../strategy.ts';

/** A media packet on its way, as it was sent. */
export interface SchemePacket {
  readonly sequence: Sequence;
  readonly datagram: Uint8Array;
}

/** A media packet that leaves, and its place in its frame. */
export interface SentSchemePacket extends SchemePacket {
  /** Index of the packet within its frame: 0 … packetCount-1. */
  readonly packetIndex: number;
  readonly packetCount: number;
}

/** Sending end of a scheme: what it transmits beside the media. */
export interface SchemeSender {
  /** A media packet leaves. */
  onMedia(now: Instant, packet: SentSchemePacket): void;
  /** Takes its part of the feedback. @returns the rest, for the sender of the media; `undefined` when nothing is left. */
  takeFeedback?(now: Instant, datagram: Uint8Array): Uint8Array | undefined;
  /** Returns the next datagram to transmit; call until `undefined`. */
  pollTransmit(now: Instant): Uint8Array | undefined;
  /** Time at which the next datagram is due; `undefined` when none is waiting. */
  pollTimeout(): Instant | undefined;
}

/** Receiving end of a scheme: what it makes of the media and of what was transmitted beside them. */
export interface SchemeReceiver {
  /** @returns the media packets that this one recovers. */
  onMedia(now: Instant, packet: SchemePacket): readonly Uint8Array[];
  /**
   * @param datagram of the SSRC of redundancy.
   * @param highest newest sequence number of the media received.
   * @returns the media packets that it recovers.
   */
  onRedundancy(now: Instant, datagram: Uint8Array, highest: Sequence): readonly Uint8Array[];
}

/** Both ends of a scheme. */
export interface Scheme {
  readonly sender: SchemeSender;
  /** Absent when our receiver understands what the sender transmits. */
  readonly receiver?: SchemeReceiver;
}

/** The stream that a scheme protects, and what its ends have measured. */
export interface ProtectedStream {
  /** Play-out delay above the fastest transit, microseconds. */
  readonly latency: Microseconds;
  /** Longest media datagram, UDP payload bytes. */
  readonly datagramBytesMax: number;
  readonly initialSequence: WireSequence;
  /** Round-trip time measured by the sender; `undefined` before the first report. */
  readonly roundTrip: () => Microseconds | undefined;
  /** Share of packets lost in the last report to the sender; `undefined` before the first. */
  readonly reportedLoss: () => number | undefined;
}

/** A published way to protect a stream. It adds datagrams to those of our sender, which knows nothing of it. */
export interface SchemeKind {
  /** Recovery of our receiver: `reorder` for none, which is the default, or `hybrid`, which requests what is missing. */
  readonly receiver?: 'reorder' | 'hybrid';
  /** Bytes by which its datagrams exceed the longest media packet, without those of a retransmission. */
  headroomBytes(parameters: StrategyParameters): number;
  build(parameters: StrategyParameters, stream: ProtectedStream): Scheme;
}
