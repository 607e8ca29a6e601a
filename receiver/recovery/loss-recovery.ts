import type { Instant, Microseconds } from '../../protocol/base/units.ts';
import type { RtcpPacket } from '../../protocol/rtcp/rtcp.ts';
import type { FrameMark } from '../../protocol/rtp/frame-mark.ts';
import type { Sequence } from '../../protocol/rtp/sequence.ts';
import type { PendingFrame } from '../frames/frame-buffer.ts';

/** What a recovery may know of the stream when it decides. */
export interface StreamView {
  readonly mediaSsrc: number | undefined;
  readonly roundTrip: Microseconds | undefined;
  /** How much the round trip varies. */
  readonly roundTripSpread: Microseconds;
  /** The newest frame that tells what belongs to it, unless it is decided. */
  readonly newest: PendingFrame | undefined;
  /** The sender has said how the stream ends. */
  readonly endKnown: boolean;
  /** By when a packet must be here; `undefined`: its frame is not known; -∞: it is of no use. */
  deadlineOf(sequence: Sequence): Instant | undefined;
  /** Returns until when each packet is of use to the decoder, after that deadline as well; −∞: it is of none. */
  referenceDeadlines(): (sequence: Sequence) => Instant;
}

/** A packet that has been taken, as far as its recovery is concerned. */
export interface TakenPacket {
  readonly sequence: Sequence;
  readonly origin: 'sent' | 'sent-again' | 'repaired';
  /** It is newer than every packet before it. */
  readonly ahead: boolean;
  /** Its frame's number and its place in that, where the frame tells what belongs to it. */
  readonly number?: number | undefined;
  readonly mark?: Pick<FrameMark, 'packetIndex' | 'packetCount'> | undefined;
  /** When it would have come on the fastest path seen. */
  readonly expectedAt: Instant;
  /** From its media time to now, by the clocks of both ends: only differences mean something. */
  readonly transit: Microseconds;
}

/** Decides what to ask for, and when. */
export interface LossRecovery {
  /** Requests made so far, each for one packet. */
  readonly requests: number;
  /** How often the packet was asked for. */
  roundsOf(sequence: Sequence): number;
  /** A packet that should have been here by now is not. */
  onMissing(now: Instant, sequence: Sequence): void;
  /** The packet is here; the gap that it may show is told with `onMissing`. */
  onPacket(now: Instant, packet: TakenPacket): void;
  /** Everything up to and including `sequence` has been decided. */
  forgetThrough(sequence: Sequence): void;
  /** The RTCP packets of one datagram that is to leave now; call until `undefined`. */
  poll(now: Instant, view: StreamView): readonly RtcpPacket[] | undefined;
  /** When `poll` has something to decide next. */
  pollTimeout(view: StreamView): Instant | undefined;
}

/** Most packets that are remembered as missing. */
export const MISSING_MAX = 4096;

/** Makes the loss recovery of one stream. `reportSsrc` is the SSRC that its RTCP packets name as their sender. */
export type RecoveryFactory = (stream: {
  readonly reportSsrc: number;
  /** Play-out delay, microseconds. */
  readonly latency: Microseconds;
  /** How long a gap is taken for reordering at least, microseconds. */
  readonly reorderWait: Microseconds;
}) => LossRecovery;
