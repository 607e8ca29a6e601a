import { type Microseconds, milliseconds, seconds } from '../../../protocol/base/units.ts';

/** Constants of SCReAM (RFC 8298 §4.1.1.1), with its recommended values; those marked as ours are not in the RFC. */
export interface ScreamOptions {
  /** QDELAY_TARGET_LO and QDELAY_TARGET_HI: bounds of the queueing delay aimed at. */
  readonly queueDelayTargetMin: Microseconds;
  readonly queueDelayTargetMax: Microseconds;
  /** QDELAY_WEIGHT: weight of a sample in the average of the queueing delay. */
  readonly queueDelayWeight: number;
  /** QDELAY_TREND_TH: trend that ends the fast increase. */
  readonly trendMax: number;
  /** QDELAY_TREND_LO and T_RESUME_FAST_INCREASE: a trend below this for so long resumes the fast increase. */
  readonly trendToResume: number;
  readonly resumeAfter: Microseconds;
  /** MIN_CWND, bytes. */
  readonly windowMin: number;
  /** MAX_BYTES_IN_FLIGHT_HEAD_ROOM: the window is at most this multiple of the bytes in flight. */
  readonly inFlightHeadroom: number;
  /** GAIN of the window (RFC 6817 §2.4.2). */
  readonly gain: number;
  /** BETA_LOSS and BETA_ECN: factors of the window after a loss and after a mark. */
  readonly lossFactor: number;
  readonly ecnFactor: number;
  /** BETA_R: factor of the target bit rate after a loss. */
  readonly lossFactorOfRate: number;
  /** MSS: largest RTP packet, bytes. */
  readonly segmentBytes: number;
  /** RATE_ADJUST_INTERVAL. */
  readonly rateInterval: Microseconds;
  /** RAMP_UP_SPEED, bits per second in a second. */
  readonly rampUp: number;
  /** PRE_CONGESTION_GUARD, 0 … 1: how much the trend slows the rate. */
  readonly preCongestionGuard: number;
  /** TX_QUEUE_SIZE_FACTOR, 0 … 2: how much the sender's queue slows the rate. */
  readonly queueFactor: number;
  /** RTP_QDELAY_TH and TARGET_RATE_SCALE_RTP_QDELAY: factor of the rate while the sender's queue takes longer. */
  readonly senderQueueMax: Microseconds;
  readonly senderQueueFactor: number;
  /**
   * Time that frames may wait in the sender before new ones are skipped. The RFC asks for a way to discard what waits too
   * long (§3, §4.1.3), and leaves it open.
   */
  readonly senderQueueLimit: Microseconds;
  /** RATE_PACE_MIN, bits per second. */
  readonly pacingRateMin: number;
  /** First target, TARGET_BITRATE_MIN and TARGET_BITRATE_MAX, bits per second; the RFC leaves the values open. */
  readonly bitrateStart: number;
  readonly bitrateMin: number;
  readonly bitrateMax: number;
  /**
   * Without a report for this time, the bytes in flight count as gone and the window as least. Not in the RFC, where
   * the acknowledgment clock would deadlock after an outage.
   */
  readonly reportTimeout: Microseconds;
  /** Interval of feedback: 20 ms at high bit rates (§4.2.1). */
  readonly feedbackInterval: Microseconds;
}

export const SCREAM_DEFAULTS: ScreamOptions = {
  queueDelayTargetMin: milliseconds(100),
  queueDelayTargetMax: milliseconds(400),
  queueDelayWeight: 0.1,
  trendMax: 0.2,
  trendToResume: 0.2,
  resumeAfter: seconds(5),
  windowMin: 3_000,
  inFlightHeadroom: 1.1,
  gain: 1,
  lossFactor: 0.8,
  ecnFactor: 0.9,
  lossFactorOfRate: 0.9,
  segmentBytes: 1_000,
  rateInterval: milliseconds(200),
  rampUp: 200_000,
  preCongestionGuard: 0.1,
  queueFactor: 1,
  senderQueueMax: milliseconds(20),
  senderQueueFactor: 0.95,
  senderQueueLimit: milliseconds(200),
  pacingRateMin: 50_000,
  bitrateStart: 300_000,
  bitrateMin: 30_000,
  bitrateMax: 1e9,
  reportTimeout: seconds(1),
  feedbackInterval: milliseconds(20),
};
