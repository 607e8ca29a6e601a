import {
  elapsed,
  type Instant,
  instant,
  later,
  type Microseconds,
  microseconds,
  milliseconds,
  perSecond,
  seconds,
} from '../../protocol/base/units.ts';
import { ECT_0, type Ecn } from '../../protocol/ecn.ts';
import { Competition } from './competition.ts';
import { PathModel } from './path-model.ts';
import type { CongestionFeedback, RateController, SentPacket } from './rate-controller.ts';

/** Constants of the adaptive rate control. docs/RATE.md has the measurements behind them. */
export interface AdaptiveRateOptions {
  /** Target until the first measurement, bytes per second: 300 kb/s, as in WebRTC. */
  readonly startRate: number;
  /** Lowest target, bytes per second: 20 kb/s, below which there is no video. */
  readonly rateMin: number;
  /** Highest target, bytes per second: 1 Gb/s. On a path that never queues, nothing else bounds it. */
  readonly rateMax: number;
  /** Interval of reports, microseconds: one per frame of 30 frames per second, two of a frame that takes longer. */
  readonly feedbackInterval: Microseconds;
  /** Time over which the capacity is averaged, microseconds: three frames, so that one late frame is not an outage. */
  readonly window: Microseconds;
  /** Time over which capacities are remembered, microseconds: a second, several fades of a moving receiver. */
  readonly memory: Microseconds;
  /**
   * Share of that time for which the capacity was below the rate that is used, 0 … 1. Constant paths lose nothing by
   * it, and the more a path varies, the more is left free; the idea is Sprout's (NSDI '13), which uses 0.05.
   */
  readonly risk: number;
  /** Share of that rate which is used, 0 … 1: the rest empties the queue that frames of varying size leave. */
  readonly utilization: number;
  /** Queue allowed between frames, as a share of the latency beyond `queueFrom`. */
  readonly queueOfLatency: number;
  readonly queueFrom: Microseconds;
  /** Wait that costs no frame, as a share of the latency beyond `waitFrom`: pauses of this length lower no rate. */
  readonly waitOfLatency: number;
  readonly waitFrom: Microseconds;
  /** Largest factor by which the target grows with a report. */
  readonly growth: number;
  /**
   * Pacing rate relative to the capacity: above 1, so that the packets of a frame queue up and show the capacity, and
   * the capacity may grow by this factor from one frame to the next; 2.5 as in WebRTC.
   */
  readonly paceOfCapacity: number;
  /** Lowest pacing rate, bytes per second: 1.2 Mb/s, a frame of the start rate in a third of its interval. */
  readonly paceMin: number;
  /** Size of a frame that shows whose queue it is, bytes: four datagrams, and one frame in how many is made so. */
  readonly seekBytes: number;
  readonly seekFrames: number;
  /** The same while the path has not carried so much of late: a few kilobits per second, which a narrow path bears. */
  readonly seekFramesNarrow: number;
  /** Longest wait, and longest delay of a report, with which such frames are made, microseconds: beyond, the queue is theirs. */
  readonly seekWaitMax: Microseconds;
  readonly seekSilenceMax: Microseconds;
  /** Time without any report after which the rate falls, and the time in which it halves, microseconds. */
  readonly silenceMax: Microseconds;
}

export const ADAPTIVE_RATE_DEFAULTS: AdaptiveRateOptions = {
  startRate: 37_500,
  rateMin: 2_500,
  rateMax: 125_000_000,
  feedbackInterval: milliseconds(20),
  window: milliseconds(100),
  memory: seconds(1),
  risk: 0.3,
  utilization: 0.98,
  queueOfLatency: 0.1,
  queueFrom: milliseconds(300),
  waitOfLatency: 0.4,
  waitFrom: milliseconds(50),
  growth: 1.5,
  paceOfCapacity: 2.5,
  paceMin: 150_000,
  seekBytes: 4_800,
  seekFrames: 8,
  seekFramesNarrow: 128,
  seekWaitMax: seconds(1),
  seekSilenceMax: milliseconds(150),
  silenceMax: seconds(1),
};

/** Frame interval until it is known, longest one that counts, and the weight of a sample. */
const FRAME_INTERVAL_DEFAULT: Microseconds = microseconds(33_333);
const FRAME_INTERVAL_MAX: Microseconds = milliseconds(200);
const FRAME_INTERVAL_WEIGHT = 1 / 8;
/** Halvings without a usable report after which the controller is blind: from 3 Mb/s to 100 kb/s. */
const BLIND_AFTER = 5;
/** Quantile of the measured capacities of the last second that is what the path has carried: one frame in eight is large. */
const CARRIED_QUANTILE = 0.9;

/**
 * Rate control for a source that follows it frame by frame, with a deadline. The target is what lets the next frame,
 * behind the queue that is there already, pass the bottleneck before the frame after it: at the capacity that the path
 * had for all but the worst part of the last second. Nothing is sent to probe: the packets of a frame leave faster than
 * the path carries them, and their dispersion shows the capacity.
 */
export class AdaptiveRate implements RateController {
  readonly #options: AdaptiveRateOptions;
  readonly #path: PathModel;
  readonly #queueAllowed: Microseconds;
  /** Target without regard to the queue. */
  #allowed: number;
  #target: number;
  #offeredAt: Instant | undefined;
  #frameInterval: Microseconds = FRAME_INTERVAL_DEFAULT;
  readonly #competition = new Competition();
  /** Rate beside others that keep a queue; 0 without them. */
  #competingRate = 0;
  #framesOffered = 0;
  #startedAt: Instant | undefined;
  #silentAt: Instant | undefined;
  #sentAt: Instant = instant(Number.NEGATIVE_INFINITY);
  /** Times that the rate was halved since the last report of a datagram received, while datagrams left. */
  #silences = 0;

  /** @param latency play-out delay above the fastest observed transit. */
  constructor(latency: Microseconds, options: Partial<AdaptiveRateOptions> = {}) {
    this.#options = { ...ADAPTIVE_RATE_DEFAULTS, ...options };
    const { queueOfLatency, queueFrom, waitOfLatency, waitFrom, startRate } = this.#options;
    const waitHarmless = microseconds(Math.max(0, latency - waitFrom) * waitOfLatency);
    this.#path = new PathModel({ ...this.#options, waitHarmless });
    this.#queueAllowed = microseconds(Math.max(0, latency - queueFrom) * queueOfLatency);
    this.#allowed = startRate;
    this.#target = startRate;
  }

  get target(): number {
    return this.#target;
  }

  get pacingRate(): number {
    const { paceOfCapacity, paceMin } = this.#options;
    return Math.max(paceMin, paceOfCapacity * Math.max(this.#target, this.#path.capacity ?? 0));
  }

  get isFollowed(): boolean {
    return true;
  }

  /** Marks are answered as losses are, so the queue treats the stream as a classic one (RFC 3168). */
  get ecn(): Ecn {
    return ECT_0;
  }

  get standingQueue(): Microseconds | undefined {
    return this.#path.waited;
  }

  get feedbackInterval(): Microseconds {
    return this.#options.feedbackInterval;
  }

  isSilent(now: Instant): boolean {
    return this.#path.silence(now) > 0;
  }

  get isBlind(): boolean {
    return this.#silences >= BLIND_AFTER;
  }

  onOffered(now: Instant): void {
    this.#framesOffered++;
    const before = this.#offeredAt;
    this.#offeredAt = now;
    if (before === undefined || now <= before) return;
    const interval = Math.min(elapsed(before, now), FRAME_INTERVAL_MAX);
    this.#frameInterval = microseconds(this.#frameInterval + (interval - this.#frameInterval) * FRAME_INTERVAL_WEIGHT);
  }

  onPaced(): void {}

  onSent(now: Instant, packet: SentPacket): void {
    this.#startedAt ??= now;
    this.#sentAt = now;
    this.#silentAt ??= later(now, this.#options.silenceMax);
    this.#path.onSent(now, packet);
    this.#retarget(now);
  }

  onPath(): void {}

  onFeedback(now: Instant, feedback: CongestionFeedback): void {
    this.#path.onFeedback(now, feedback);
    // Reports of nothing but losses show no capacity.
    if (feedback.packets.some(({ arrivedAt }) => arrivedAt !== undefined)) {
      this.#silentAt = later(now, this.#options.silenceMax);
      this.#silences = 0;
      this.#allowed *= this.#options.growth;
    }
    this.#compete(now, feedback);
    this.#retarget(now);
  }

  pollTimeout(): Instant | undefined {
    const overdue = this.#path.pollTimeout() ?? Number.POSITIVE_INFINITY;
    const at = Math.min(overdue, this.#silentAt ?? Number.POSITIVE_INFINITY);
    return Number.isFinite(at) ? instant(at) : undefined;
  }

  onTimeout(now: Instant): void {
    const overdue = this.#path.pollTimeout();
    if (overdue !== undefined && now >= overdue) this.#path.onTimeout(now);
    if (this.#silentAt !== undefined && now >= this.#silentAt) {
      // A receiver that does not report, or a dead path: decay to the minimum rate.
      if (elapsed(this.#sentAt, now) < this.#options.silenceMax) this.#silences++;
      this.#silentAt = later(now, this.#options.silenceMax);
      this.#allowed /= 2;
    }
    this.#retarget(now);
  }

  #retarget(now: Instant): void {
    const { risk, utilization, rateMin, rateMax } = this.#options;
    const { capacity = Number.POSITIVE_INFINITY } = this.#path;
    const rate = Math.min(this.#path.lowCapacity(risk), capacity) * utilization;
    this.#allowed = Math.max(rateMin, Math.min(this.#allowed, rate, rateMax));
    const room = this.#frameInterval + this.#queueAllowed - this.#queueAtNextFrame(now);
    const wanted = room <= 0 ? 0 : (rate * room) / this.#frameInterval;
    const own = Math.max(rateMin, Math.min(wanted, this.#allowed));
    this.#target = Math.max(own, this.#competingRate, this.#frameWanted(now));
  }

  /** Rate at which the next frame shows whose queue it is; 0 when that is not asked. */
  #frameWanted(now: Instant): number {
    if (!this.#competition.seeksFrames) return 0;
    const { seekBytes, seekFrames, seekFramesNarrow, seekWaitMax, seekSilenceMax } = this.#options;
    if ((this.#path.waited ?? 0) > seekWaitMax || this.#path.silence(now) > seekSilenceMax) return 0;
    const rate = perSecond(seekBytes, microseconds(this.#frameInterval * seekFrames));
    const frames = this.#path.sampledCapacity(CARRIED_QUANTILE) < rate ? seekFramesNarrow : seekFrames;
    if (this.#framesOffered % frames !== 0) return 0;
    return perSecond(seekBytes, this.#frameInterval);
  }

  /** Others that keep a queue, such as TCP, leave nothing to a flow that drains it. */
  #compete(now: Instant, { packets, roundTrip }: CongestionFeedback): void {
    this.#competingRate = this.#competition.update(now, {
      stands: this.#path.standing > 0,
      others: this.#path.competingTraffic,
      hasLost: packets.some(({ arrivedAt, mark }) => arrivedAt === undefined || mark === 'ce'),
      roundTrip,
      target: this.#target,
    });
  }

  #queueAtNextFrame(now: Instant): Microseconds {
    const { capacity } = this.#path;
    if (capacity === undefined) return microseconds(0);
    const nextAt = instant(Math.max(now, (this.#offeredAt ?? now) + this.#frameInterval));
    return this.#path.queueAt(nextAt, now, Math.max(capacity, this.#options.rateMin));
  }
}
