import type { Percentiles } from '../protocol/base/histogram.ts';
import type { Microseconds } from '../protocol/base/units.ts';
import type { FrameClasses, PacketClasses } from './ledger.ts';

/** What a receiver has seen so far. Times in microseconds, bytes are UDP payload bytes. */
export interface ReceiverStatistics {
  readonly frames: FrameClasses & { readonly decided: number };
  /** Key frames that were whole after their deadline, and the longest time from the fastest transit to then. */
  readonly lateKeyFrames: number;
  readonly lateKeyDelay: number;
  /** Frames that the sender says it did not send, as the path does not carry them all; in none of the classes. */
  readonly framesWithheld: number;
  /** Frames that the sender marked as not to be shown. They are in the classes as well. */
  readonly framesCutAway: number;
  /** Frames shown although nobody says that decoding could start where it did. They are in the classes as well. */
  readonly framesPossiblyDamaged: number;
  readonly packets: PacketClasses & { readonly decided: number };
  readonly datagrams: number;
  readonly bytes: number;
  /** Bytes of the access units released, without any header. */
  readonly payloadBytes: number;
  /** RTP headers and extensions of the media packets received. */
  readonly rtpHeaderBytes: number;
  readonly duplicates: number;
  /** Datagrams of other streams, of no known form, or that contradict what came before. */
  readonly foreign: number;
  readonly malformed: number;
  /** Packets that found no room. */
  readonly overflowed: number;
  readonly requests: number;
  readonly keyframeRequests: number;
  readonly roundTrip: Microseconds | undefined;
  readonly jitter: Microseconds;
  /** From the fastest transit seen to the frame's release, and to its last packet's arrival. */
  readonly playoutDelay: Percentiles;
  readonly completionDelay: Percentiles;
}
