import type { Instant, Microseconds } from '../protocol/instant.ts';
import type { RtcpPacket } from '../protocol/rtcp.ts';
import type { Sequence } from '../protocol/sequence.ts';
import type { PendingFrame } from './frame-buffer.ts';

/** What a recovery may know of the stream when it decides. */
export interface StreamView {
  readonly mediaSsrc: number | undefined;
  readonly roundTrip: Microseconds | undefined;
  /** The newest frame that tells what belongs to it, unless it is decided. */
  readonly newest: PendingFrame | undefined;
  /** By when a packet must be here; `undefined`: its frame is not known; -∞: it is of no use. */
  deadlineOf(sequence: Sequence): Instant | undefined;
}

/** Decides what to ask for, and when. */
export interface LossRecovery {
  /** Requests made so far, each for one packet. */
  readonly requests: number;
  /** How often the packet was asked for. */
  roundsOf(sequence: Sequence): number;
  /** A packet that should have been here by now is not. */
  onMissing(now: Instant, sequence: Sequence): void;
  /** The packet is here. */
  onArrival(sequence: Sequence): void;
  /** Everything up to and including `sequence` has been decided. */
  forgetThrough(sequence: Sequence): void;
  /** The RTCP packets of one datagram that is to leave now; call until `undefined`. */
  poll(now: Instant, view: StreamView): readonly RtcpPacket[] | undefined;
  /** When `poll` has something to decide next. */
  pollTimeout(view: StreamView): Instant | undefined;
}

/** Most packets that are remembered as missing. */
export const MISSING_MAX = 4096;
