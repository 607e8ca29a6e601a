import { type Microseconds, milliseconds, seconds } from '../../../protocol/base/units.ts';

/**
 * Constants of SCReAMv2 (draft-johansson-ccwg-rfc8298bis-screamv2, §4.1), with its recommended values; those marked as
 * ours are not in the draft.
 */
export interface Scream2Options {
  /** QDELAY_TARGET_LO and QDELAY_TARGET_HI. */
  readonly queueDelayTargetMin: Microseconds;
  readonly queueDelayTargetMax: Microseconds;
  /** MIN_REF_WND, bytes. */
  readonly windowMin: number;
  /** BETA_LOSS and BETA_ECN. */
  readonly lossFactor: number;
  readonly ecnFactor: number;
  /** MSS, bytes. */
  readonly segmentBytes: number;
  /** RATE_PACE_MIN, bits per second, and PACKET_PACING_HEADROOM. */
  readonly pacingRateMin: number;
  readonly pacingHeadroom: number;
  /** REF_WND_OVERHEAD: bytes in flight as a multiple of the window. */
  readonly windowOverhead: number;
  /** L4S_AVG_G and QDELAY_AVG_G: weights of samples. */
  readonly marksWeight: number;
  readonly queueDelayWeight: number;
  /** POST_CONGESTION_DELAY. */
  readonly cautiousFor: Microseconds;
  /** MUL_INCREASE_FACTOR: growth in a round trip. */
  readonly increase: number;
  /** VIRTUAL_RTT. */
  readonly virtualRoundTrip: Microseconds;
  /** BYTES_IN_FLIGHT_HEAD_ROOM. */
  readonly inFlightHeadroom: number;
  /**
   * BYTES_IN_FLIGHT_LIMIT and its compensation: the rate is divided by up to the second while more of the window than the
   * first is in flight. The draft names them without values; those of its implementation.
   */
  readonly inFlightLimit: number;
  readonly inFlightCompensation: number;
  /** First target, TARGET_BITRATE_MIN and TARGET_BITRATE_MAX, bits per second; the draft leaves the values open. */
  readonly bitrateStart: number;
  readonly bitrateMin: number;
  readonly bitrateMax: number;
  /** As in `ScreamOptions`; the draft leaves both open. */
  readonly senderQueueLimit: Microseconds;
  readonly reportTimeout: Microseconds;
  /** Interval of feedback (§5): as often as 2 % of the media allow, and at the end of each frame. */
  readonly feedbackInterval: Microseconds;
}

export const SCREAM2_DEFAULTS: Scream2Options = {
  queueDelayTargetMin: milliseconds(60),
  queueDelayTargetMax: milliseconds(400),
  windowMin: 3_000,
  lossFactor: 0.7,
  ecnFactor: 0.8,
  segmentBytes: 1_000,
  pacingRateMin: 50_000,
  pacingHeadroom: 1.5,
  windowOverhead: 1.5,
  marksWeight: 1 / 16,
  queueDelayWeight: 1 / 4,
  cautiousFor: seconds(4),
  increase: 0.02,
  virtualRoundTrip: milliseconds(25),
  inFlightHeadroom: 2,
  inFlightLimit: 0.9,
  inFlightCompensation: 1.5,
  bitrateStart: 300_000,
  bitrateMin: 30_000,
  bitrateMax: 1e9,
  senderQueueLimit: milliseconds(200),
  reportTimeout: seconds(1),
  feedbackInterval: milliseconds(20),
};
