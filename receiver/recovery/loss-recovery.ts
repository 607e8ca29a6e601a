import type { Instant, Microseconds } from '../../protocol/base/units.ts';
import type { RtcpPacket } from '../../protocol/rtcp/rtcp.ts';
import type { FrameMark } from '../../protocol/rtp/frame-mark.ts';
import type { Sequence } from '../../protocol/rtp/sequence.ts';
import type { PacketArrival } from '../frames/frame-buffer.ts';

/** The newest frame of which a packet has arrived, as its frame marks announce it. */
export interface NewestFrame {
  /** Extended frame number. */
  readonly number: number;
  readonly complete: boolean;
  readonly firstSequence: Sequence;
  readonly lastSequence: Sequence;
  readonly receivedPackets: number;
  /** Arrival time of the last packet so far. */
  readonly lastArrivalAt: Instant;
  /** Missing packets that its frame marks announce, ascending. @param through last one of interest. */
  missing(through?: Sequence): readonly Sequence[];
}

/** State of the stream available to a recovery. */
export interface StreamView {
  readonly mediaSsrc: number | undefined;
  readonly roundTrip: Microseconds | undefined;
  /** Variation of the round trip. */
  readonly roundTripSpread: Microseconds;
  /** Share of recent round trips that were at most this long, 0 … 1. */
  roundTripsWithin(span: Microseconds): number;
  /** Newest frame with a frame mark, unless it is decided. */
  readonly newest: NewestFrame | undefined;
  /** True once the sender has reported the end of the stream. */
  readonly endKnown: boolean;
  /** True for a packet that has arrived, but whose frame is not known yet. */
  isHeld?(sequence: Sequence): boolean;
  /** Time by which a packet must arrive; `undefined` when its frame is unknown, −∞ when it is useless. */
  deadlineOf(sequence: Sequence): Instant | undefined;
  /**
   * Returns a function from a packet to the time until which it is useful to the decoder, also after its deadline; −∞
   * when it is not.
   */
  referenceDeadlines(): (sequence: Sequence) => Instant;
}

/** A received packet, as seen by its recovery. */
export interface TakenPacket {
  readonly sequence: Sequence;
  readonly origin: 'sent' | 'sent-again' | 'repaired';
  /** True when it is newer than all earlier packets. */
  readonly ahead: boolean;
  /** Frame number and position within the frame; `undefined` without a frame mark. */
  readonly number?: number | undefined;
  readonly mark?: Pick<FrameMark, 'packetIndex' | 'packetCount'> | undefined;
  /** Expected arrival on the fastest observed path. */
  readonly expectedAt: Instant;
  /** Arrival time minus media time, on the clocks of both ends: only differences are meaningful. */
  readonly transit: Microseconds;
}

/** Decides which packets to request, and when. */
export interface LossRecovery {
  /** Requests made so far, each for one packet. */
  readonly requests: number;
  /** Number of requests made for the packet. */
  roundsOf(sequence: Sequence): number;
  /** A packet is missing. */
  onMissing(now: Instant, sequence: Sequence): void;
  /** A packet has arrived whose frame is not known yet: it is not missing any more. `onPacket` follows when it is known. */
  onHeld?(now: Instant, sequence: Sequence): void;
  /** A packet has arrived. Gaps that it reveals are reported by `onMissing`. */
  onPacket(now: Instant, packet: TakenPacket): void;
  /**
   * A packet has arrived by a slower path after it was repaired or requested: it was not lost. Called where a stream comes
   * by several paths. @param transit as in `TakenPacket`.
   */
  onOriginal?(now: Instant, sequence: Sequence, transit: Microseconds): void;
  /** Everything up to and including `sequence` has been decided. */
  forgetThrough(sequence: Sequence): void;
  /** Returns the RTCP packets of the next datagram to transmit; call until `undefined`. */
  poll(now: Instant, view: StreamView): readonly RtcpPacket[] | undefined;
  /** Time of the next decision in `poll`. */
  pollTimeout(view: StreamView): Instant | undefined;
}

/** Arrival of a packet, as far as the recovery was involved. */
export function arrivalOf(
  { origin, sequence, ahead }: Pick<TakenPacket, 'origin' | 'sequence' | 'ahead'>,
  recovery: LossRecovery | undefined,
): PacketArrival {
  if (origin === 'repaired') return 'repaired';
  if (origin === 'sent-again') return { recoveredInRound: recovery?.roundsOf(sequence) ?? 0 };
  return ahead ? 'on-time' : 'reordered';
}

/** Maximum number of missing packets tracked. */
export const MISSING_MAX = 4096;

/** Creates the loss recovery of a stream. `reportSsrc` is the sender SSRC of its RTCP packets. */
export type RecoveryFactory = (stream: {
  readonly reportSsrc: number;
  /** Play-out delay, microseconds. */
  readonly latency: Microseconds;
  /** Minimum time for which a gap counts as reordering, microseconds. */
  readonly reorderWait: Microseconds;
}) => LossRecovery;
