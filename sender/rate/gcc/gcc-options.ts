import { type Microseconds, milliseconds, seconds } from '../../../protocol/base/units.ts';

/**
 * Constants of Google congestion control. Those of draft-ietf-rmcat-gcc-02 name their section; the others fill gaps of
 * the draft by libwebrtc's behaviour, as marked.
 */
export interface GccOptions {
  /**
   * Filter of the delay variation: the draft's Kalman filter (§5.3), or the trendline filter of libwebrtc, which needs
   * the gains of `GCC_TRENDLINE`.
   */
  readonly filter: 'kalman' | 'trendline';
  /** Packets sent or received within this time form a group (§5.2, §5.6). */
  readonly burstTime: Microseconds;
  /** Longest time over which arrivals in a burst are merged into one group; libwebrtc. */
  readonly burstMax: Microseconds;
  /** Variance of the state noise, ms² (§5.3, §5.6). */
  readonly stateNoise: number;
  /** First system error covariance e(0) (§5.6). */
  readonly errorCovariance: number;
  /** Coefficient χ of the measured noise variance, 0.001 … 0.1 (§5.3, §5.6). */
  readonly noiseCoefficient: number;
  /** Number K of groups whose highest rate enters the noise variance (§5.3). */
  readonly noiseGroups: number;
  /**
   * Number of group intervals by which the estimate is multiplied before it is compared with the threshold, at most.
   * The draft compares the delay variation of a single group with at least 6 ms, which groups of 5 ms hardly reach at any
   * overload; its authors' implementation multiplies by the number of groups seen, up to 60. 1: the draft's letter.
   */
  readonly groupsMax: number;
  /** First threshold, ms (§5.4, §5.6). */
  readonly threshold: number;
  /** Bounds of the threshold, ms (§5.4). */
  readonly thresholdMin: number;
  readonly thresholdMax: number;
  /** The threshold is not adapted to estimates further above it than this, ms (§5.4). */
  readonly thresholdDistanceMax: number;
  /** Gains K_u and K_d of the threshold (§5.4, §5.6). */
  readonly thresholdGainUp: number;
  readonly thresholdGainDown: number;
  /** Longest interval that enters one adaptation of the threshold; libwebrtc. */
  readonly thresholdInterval: Microseconds;
  /** Time for which the estimate has to exceed the threshold (§5.4, §5.6). */
  readonly overuseTime: Microseconds;
  /** Window T of the incoming bit rate, 0.5 … 1 s (§5.5, §5.6). */
  readonly rateWindow: Microseconds;
  /** Factor β of a decrease, 0.8 … 0.95 (§5.5, §5.6). */
  readonly decrease: number;
  /** Multiplicative increase in a second (§5.5). */
  readonly increase: number;
  /** Greatest estimate, as a multiple of the incoming rate (§5.5). */
  readonly incomingRateFactor: number;
  /** Smoothing factor of the incoming rates at decreases (§5.5). */
  readonly averageFactor: number;
  /** Standard deviations within which the estimate is close to convergence (§5.5). */
  readonly nearDeviations: number;
  /** Bounds of the variance of those rates, relative to their average, kb/s; libwebrtc. The first one also starts it. */
  readonly varianceMin: number;
  readonly varianceMax: number;
  /** Detection and reaction time added to the round trip in the additive increase (§5.5). */
  readonly reactionTime: Microseconds;
  /** Loss below which the loss-based estimate grows, and above which it falls (§6). */
  readonly lossLow: number;
  readonly lossHigh: number;
  /** Growth of the loss-based estimate with one report (§6). */
  readonly lossGrowth: number;
  /**
   * Time covered by one report of the loss. The draft's reports are those of RTCP, about one a second for video;
   * transport-wide feedback comes thirty times as often, and would grow 1.05³⁰-fold in a second.
   */
  readonly lossInterval: Microseconds;
  /** Packets that such a report covers at least; libwebrtc. */
  readonly lossPackets: number;
  /**
   * Pacing rate as a multiple of the target. The draft's pacer sends at the target (§4); a tenth more lets a frame that is
   * larger than others leave within its interval. libwebrtc's 2.5 needs a filter that knows the sizes of groups: this one
   * takes the queue that each frame builds up for noise, and finds an over-use too late or too early.
   */
  readonly pacingFactor: number;
  /** First estimate, and its bounds, bits per second. Not in the draft; the first one is libwebrtc's. */
  readonly bitrateStart: number;
  readonly bitrateMin: number;
  readonly bitrateMax: number;
  /** Interval of feedback: once a video frame (§3). */
  readonly feedbackInterval: Microseconds;
}

export const GCC_DEFAULTS: GccOptions = {
  filter: 'kalman',
  burstTime: milliseconds(5),
  burstMax: milliseconds(100),
  stateNoise: 1e-3,
  errorCovariance: 0.1,
  noiseCoefficient: 0.01,
  noiseGroups: 60,
  groupsMax: 60,
  threshold: 12.5,
  thresholdMin: 6,
  thresholdMax: 600,
  thresholdDistanceMax: 15,
  thresholdGainUp: 0.01,
  thresholdGainDown: 0.00018,
  thresholdInterval: milliseconds(100),
  overuseTime: milliseconds(10),
  rateWindow: milliseconds(500),
  decrease: 0.85,
  increase: 1.08,
  incomingRateFactor: 1.5,
  averageFactor: 0.95,
  nearDeviations: 3,
  varianceMin: 0.4,
  varianceMax: 2.5,
  reactionTime: milliseconds(100),
  lossLow: 0.02,
  lossHigh: 0.1,
  lossGrowth: 1.05,
  lossInterval: seconds(0.2),
  lossPackets: 20,
  pacingFactor: 1.1,
  bitrateStart: 300_000,
  bitrateMin: 30_000,
  bitrateMax: 1e9,
  feedbackInterval: milliseconds(33),
};

/** The delay filter as deployed, with the gains and the pacing that belong to it; libwebrtc. */
export const GCC_TRENDLINE: Partial<GccOptions> = {
  filter: 'trendline',
  pacingFactor: 2.5,
  thresholdGainUp: 0.0087,
  thresholdGainDown: 0.039,
};
