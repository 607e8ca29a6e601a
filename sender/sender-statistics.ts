import type { Microseconds } from '../protocol/base/units.ts';

/** What a sender has done so far. Bytes are UDP payload bytes: RTP headers in, UDP and IP headers out. */
export interface SenderStatistics {
  frames: number;
  /** Frames that the sender itself left out: no room in its queue. */
  framesRefused: number;
  /** Frames that were not sent as the path does not carry them all. */
  framesWithheld: number;
  packets: number;
  bytes: number;
  /** Bytes of the access units themselves, without any header. */
  payloadBytes: number;
  retransmissions: number;
  retransmissionBytes: number;
  /** Those of the retransmissions, and repair packets with them, that were too late to be shown: for the decoder alone. */
  lateBytes: number;
  /** Repair packets, each of which stands for any one that is missing. */
  repairs: number;
  repairBytes: number;
  /** Requests that were not answered: too old, answered within this round trip, or over the budget. */
  requestsRefused: number;
  keyframeRequests: number;
  malformed: number;
  /** The last round trip that a receiver report told, in microseconds. */
  roundTrip: Microseconds | undefined;
  /** The share of packets lost as the receiver last reported it, 0 … 1. */
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
  requestsRefused: 0,
  keyframeRequests: 0,
  malformed: 0,
  roundTrip: undefined,
  reportedLoss: undefined,
});
