import type { Percentiles } from '../protocol/base/histogram.ts';
import type { Microseconds } from '../protocol/base/units.ts';
import type { FrameClasses, PacketClasses } from './ledger.ts';

/** Totals of a receiver. Times are in microseconds, bytes are UDP payload bytes. */
export interface ReceiverStatistics {
  readonly frames: FrameClasses & { readonly decided: number };
  /** Key frames completed after their deadline, and the longest time from the fastest transit to completion. */
  readonly lateKeyFrames: number;
  readonly lateKeyDelay: number;
  /** Frames withheld by the sender because they exceed the path's capacity; not counted in any class. */
  readonly framesWithheld: number;
  /** Frames that the sender marked as not to be shown. Also counted in their class. */
  readonly framesCutAway: number;
  /**
   * Frames shown although decoding started where the stream declares no random access point. Also counted in their
   * class.
   */
  readonly framesPossiblyDamaged: number;
  readonly packets: PacketClasses & { readonly decided: number };
  readonly datagrams: number;
  readonly bytes: number;
  /** Bytes of the released access units, without headers. */
  readonly payloadBytes: number;
  /** RTP headers and extensions of the received media packets. */
  readonly rtpHeaderBytes: number;
  /** Datagrams that a queue has marked with congestion experienced (RFC 3168); 0 where the ECN bits are not read. */
  readonly congestionMarks: number;
  readonly duplicates: number;
  /** Datagrams of other streams, of unknown format, or that contradict earlier ones. */
  readonly foreign: number;
  readonly malformed: number;
  /** Packets discarded for lack of room. */
  readonly overflowed: number;
  readonly requests: number;
  readonly keyFrameRequests: number;
  readonly roundTrip: Microseconds | undefined;
  readonly jitter: Microseconds;
  /** Time from the fastest observed transit to a frame's release, and to the arrival of its last packet. */
  readonly playoutDelay: Percentiles;
  readonly completionDelay: Percentiles;
}

/** Counters of a receiver that are in no class of frames or packets. */
export const emptyCounters = () => ({
  datagrams: 0,
  bytes: 0,
  rtpHeaderBytes: 0,
  congestionMarks: 0,
  duplicates: 0,
  foreign: 0,
  malformed: 0,
  overflowed: 0,
  framesWithheld: 0,
});

export type ReceiverCounters = ReturnType<typeof emptyCounters>;
