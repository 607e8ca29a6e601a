import type { Instant, Microseconds } from '../../protocol/base/units.ts';
import type { Ecn } from '../../protocol/ecn.ts';
import type { PathNotice } from '../../protocol/rtcp/recovery-notice.ts';
import type { CircuitBreakerNotice, ReceptionSummary } from './circuit-breaker.ts';

/** Role of a datagram. Padding carries repair or repeated media and is sent only to probe the path. */
export type SentKind = 'media' | 'retransmission' | 'repair' | 'padding';

/** A datagram of the stream at its departure. RTCP is not counted. */
export interface SentPacket {
  /** Position among all datagrams of the stream, media, retransmission, repair and padding together: 0, 1, 2, … */
  readonly number: number;
  /** UDP payload bytes. */
  readonly bytes: number;
  readonly kind: SentKind;
}

/** Explicit congestion notification of a received datagram (RFC 3168 §5). */
export type EcnMark = 'not-ect' | 'ect-1' | 'ect-0' | 'ce';

/** The receiver's report on one datagram (RFC 8888 §3.1), matched with the record of its departure. */
export interface PacketReport extends SentPacket {
  readonly sentAt: Instant;
  /**
   * Arrival time on the receiver's clock, microseconds, resolution 1/1024 s; only differences are meaningful.
   * `undefined` when the datagram had not arrived at the time of the report. It may be reported as received later.
   */
  readonly arrivedAt: Microseconds | undefined;
  /** `not-ect` when it was not received. */
  readonly mark: EcnMark;
}

/**
 * The news of one congestion control feedback packet (RFC 8888). Built from bytes of a peer by
 * `SentPacketHistory`, which has discarded reports of datagrams never sent, repeated and contradictory reports.
 */
export interface CongestionFeedback {
  /**
   * Newly reported datagrams in the order of departure, at least one. Each is reported as received at most once, and as
   * missing at most once before that.
   */
  readonly packets: readonly PacketReport[];
  /** Bytes sent and not yet reported as received or missing, after this report. */
  readonly bytesInFlight: number;
  /**
   * Round trip, smoothed (RFC 6298 §2.3): departure of the newest datagram reported as received to arrival of the
   * report, without the time that the receiver waited before it reported.
   */
  readonly roundTrip: Microseconds;
  /** The same for this report alone; the smoothed one when it cannot be computed. */
  readonly roundTripLatest: Microseconds;
}

/**
 * State of the bottleneck for redundancy. `queued`: packets that are not reported yet may wait in its queue. `full`: the
 * queue is so long that every retransmission costs later frames more than it saves. `free`: neither.
 */
export type PathLoad = 'free' | 'queued' | 'full';

/**
 * Controls the sending rate. Media, repair packets and retransmissions share one target: all of them count in `onSent`.
 * A source that can follow takes its bit rate from `Sender.targetBitrate`; frames of any other are paced to the target
 * and withheld when the remainder leaves no room.
 *
 * A controller has no clock: times are passed in, in ascending order. Its results change only within method calls.
 */
export interface RateController {
  /** Target for everything sent, bytes per second, above 0; `undefined` while unlimited. */
  readonly target: number | undefined;
  /** Rate at which datagrams of a frame leave, bytes per second; `undefined` when frames are spread over their interval. */
  readonly pacingRate: number | undefined;
  /**
   * Bytes that may leave now: what a congestion window has room for. A datagram leaves while it is above 0, even when it is
   * larger. `undefined` or absent without a window.
   */
  readonly windowBytes?: number | undefined;
  /**
   * True when the source follows the target by itself, so that no frame is withheld. Otherwise frames that exceed the
   * target are.
   */
  readonly isFollowed?: boolean;
  /** ECN bits of datagrams, when the controller responds to marks (RFC 3168, RFC 9331). Absent: not ECN-capable. */
  readonly ecn?: Ecn;
  /** Estimated waiting time of a datagram in the bottleneck's queue; `undefined` while unknown. */
  readonly standingQueue: Microseconds | undefined;
  /**
   * Interval at which the receiver should report packet by packet; `undefined` when the controller needs no such reports.
   * The receiver sends fewer when they would take more than 2 % of the media bytes.
   */
  readonly feedbackInterval: Microseconds | undefined;
  /** True while reports are overdue: the path carries nothing, or its reports do not arrive. Absent: never. */
  isSilent?(now: Instant): boolean;
  /**
   * True when no datagram has been reported as received for so long that the target has fallen to a minimum, although
   * datagrams left: the receiver does not report, or its reports cannot be used. Absent: never.
   */
  readonly isBlind?: boolean;
  /** State of the bottleneck; `free` when absent. */
  loadAt?(now: Instant): PathLoad;
  /**
   * Time until this many more bytes have passed the bottleneck, at the best capacity of late. A frame for which this is too
   * long is withheld. `undefined` or absent while none is to be withheld for it.
   */
  waitOf?(now: Instant, bytes: number): Microseconds | undefined;
  /** Share of the losses against which repair packets help, 0 … 1: not those of a full queue. Absent: 1. */
  repairableLoss?(now: Instant): number;
  /**
   * The source offers a frame of this many payload bytes, behind `queued` bytes of earlier ones in the pacer; it may still
   * be withheld.
   */
  onOffered(now: Instant, bytes: number, queued: number): void;
  /** A media packet leaves the pacer, `waited` after its frame was handed over. `onSent` follows. */
  onPaced(now: Instant, waited: Microseconds): void;
  onSent(now: Instant, packet: SentPacket): void;
  /** The receiver's own summary of the path, which `hybrid` receivers send up to ten times a second. */
  onPath(now: Instant, path: PathNotice): void;
  /** The receiver notes that packets wait in a standing queue. */
  onQueue?(now: Instant): void;
  /** Reports on single datagrams. Not called when the receiver does not support them. */
  onFeedback(now: Instant, feedback: CongestionFeedback): void;
  /**
   * True while no frame is taken: nothing may be sent but RTCP (RFC 8083 §4.5), or too much waits in the sender. Absent:
   * never. A key frame is asked for with each frame refused.
   */
  readonly refusesFrames?: boolean;
  /**
   * A report block on the media (RFC 3550 §6.4.1). @param echoesSince departure of the sender report that it names;
   * `undefined` when it names none.
   */
  onReport?(now: Instant, summary: ReceptionSummary, echoesSince: Instant | undefined): void;
  /** Returns a change of the circuit breaker that has not been polled. */
  pollNotice?(): CircuitBreakerNotice | undefined;
  /** Time of the next `onTimeout`, such as for missing feedback; `undefined` when no timer is running. */
  pollTimeout(): Instant | undefined;
  onTimeout(now: Instant): void;
}
