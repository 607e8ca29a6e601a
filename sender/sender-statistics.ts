import type { Microseconds } from '../protocol/base/units.ts';

/** Totals of a sender. Bytes are UDP payload bytes: they include RTP headers, but not UDP and IP headers. */
export interface SenderStatistics {
  frames: number;
  /** Frames refused for lack of room in the queue, or because their payload format cannot carry parts of their length. */
  framesRefused: number;
  /** Frames withheld because they exceed the path's capacity. */
  framesWithheld: number;
  packets: number;
  bytes: number;
  /** Bytes of the access units, without headers. */
  payloadBytes: number;
  retransmissions: number;
  retransmissionBytes: number;
  /**
   * Bytes of the retransmissions, and of repair packets with them, that were too late to be shown and serve the decoder
   * only.
   */
  lateBytes: number;
  /** Repair packets. */
  repairs: number;
  repairBytes: number;
  /**
   * Bytes of datagrams that the receiver reported as received, one by one (RFC 8888): media, retransmissions and repair
   * packets. 0 while it is not asked for such reports.
   */
  deliveredBytes: number;
  /** Requests not answered: too old, already answered within the round trip, or over the budget. */
  requestsRefused: number;
  keyFrameRequests: number;
  malformed: number;
  /** RTCP packets of another SSRC than the receiver's. */
  foreign: number;
  /** Datagrams of the receiver that were discarded unread: too long, or too many. */
  feedbackRefused: number;
  /** Last round-trip time from a receiver report, microseconds. */
  roundTrip: Microseconds | undefined;
  /** Share of packets lost in the last receiver report, 0 … 1. */
  reportedLoss: number | undefined;
}

export const emptySenderStatistics = (): SenderStatistics => ({
  frames: 0,
  framesRefused: 0,
  framesWithheld: 0,
  packets: 0,
  bytes: 0,
  payloadBytes: 0,
  retransmissions: 0,
  retransmissionBytes: 0,
  lateBytes: 0,
  repairs: 0,
  repairBytes: 0,
  deliveredBytes: 0,
  requestsRefused: 0,
  keyFrameRequests: 0,
  malformed: 0,
  foreign: 0,
  feedbackRefused: 0,
  roundTrip: undefined,
  reportedLoss: undefined,
});
