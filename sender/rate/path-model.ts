import {
  elapsed,
  type Instant,
  instant,
  later,
  type Microseconds,
  microseconds,
  milliseconds,
  seconds,
} from '../../protocol/base/units.ts';
import { CapacityMeter, type MeasuredCapacity } from './capacity-meter.ts';
import { CompetingTraffic } from './competing-traffic.ts';
import { DelayBase } from './delay-base.ts';
import { QueueModel } from './queue-model.ts';
import type { CongestionFeedback, PacketReport, SentPacket } from './rate-controller.ts';
import { StandingQueue } from './standing-queue.ts';

export interface PathModelOptions {
  /** Interval at which the receiver is asked to report. */
  readonly feedbackInterval: Microseconds;
  /** Time over which the current capacity is averaged. */
  readonly window: Microseconds;
  /** Time over which capacities are remembered. */
  readonly memory: Microseconds;
  /** Longest wait that does not matter to the stream; absent: none is known. */
  readonly waitHarmless?: Microseconds;
}

/** Memory of the delays of an empty path. A standing queue of this length would pass for the path, as in BBR. */
const BASE_MEMORY: Microseconds = seconds(10);
/** The clocks of RFC 8888 resolve 1/1024 s; over this time they make an error of a fifth at most. */
const USE_MIN: Microseconds = milliseconds(5);
/**
 * A datagram alone in the path that waited less than this says nothing about the capacity: a small one may just have
 * missed the last transmission opportunity (LTE schedules each millisecond, but serves other users in between).
 */
const WAIT_MIN: Microseconds = milliseconds(15);
/** Shortest time between two entries into the memory: half a frame interval. */
const SAMPLE_INTERVAL: Microseconds = milliseconds(15);
/** Interval at which a path without reports is looked at. */
const SILENCE_INTERVAL: Microseconds = milliseconds(10);
/** Variation of the return path and of the receiver's timers. */
const REPORT_MARGIN: Microseconds = milliseconds(5);
/** A gap between reports longer than this is an outage and not the receiver's interval. */
const REPORT_GAP_MAX: Microseconds = milliseconds(500);
const REPORT_GAP_DEFAULT: Microseconds = milliseconds(33);
const REPORT_GAP_WEIGHT = 1 / 4;
/** Reports are overdue after the round trip and this many of their usual intervals. */
const REPORT_GAPS = 1.5;
/** Share of a gap between reports that its newest datagram waited, if the path and not the receiver made the gap. */
const GAP_WAITED = 1 / 3;
/**
 * Share of the time in use that was spent waiting for the first datagram of a queue, above which the measured capacity
 * is only a lower bound: the wait shows that the bottleneck paused, and not how much it carries once it does.
 */
const FIRST_SHARE_MIN = 0.3;
/** Growth beyond what has passed where only a lower bound is known: half, as the target's growth with a report. */
const RISE = 1.5;
/** An outage of this length invalidates the capacity estimate. */
const OUTAGE_MIN: Microseconds = milliseconds(400);
/** A queueing delay so far beyond what the round trip shows indicates a clock step. */
const CLOCK_STEP_MIN: Microseconds = milliseconds(100);

/**
 * Bottleneck of a path as the receiver's reports show it: its capacity now and in the recent past, and the queue in
 * front of it.
 */
export class PathModel {
  readonly #options: PathModelOptions;
  readonly #meter: CapacityMeter;
  readonly #queue = new QueueModel();
  readonly #oneWay = new DelayBase(BASE_MEMORY);
  readonly #roundTrip = new DelayBase(BASE_MEMORY);
  readonly #standing = new StandingQueue();
  readonly #cross = new CompetingTraffic();
  #capacity: number | undefined;
  #waited: Microseconds | undefined;
  #sampledAt: Instant = instant(Number.NEGATIVE_INFINITY);
  #heardAt: Instant | undefined;
  #reportGap: Microseconds = REPORT_GAP_DEFAULT;
  #overdueAt: Instant | undefined;

  constructor(options: PathModelOptions) {
    this.#options = options;
    this.#meter = new CapacityMeter({ ...options, timeMin: USE_MIN, waitMin: WAIT_MIN });
  }

  /** Capacity over the last window, bytes per second; `undefined` while too little is sent to measure it. */
  get capacity(): number | undefined {
    return this.#capacity;
  }

  /** Time that the newest reported datagram waited in the queue. */
  get waited(): Microseconds | undefined {
    return this.#waited;
  }

  /** Time that every datagram waits at present, jitter apart; 0 without a queue. */
  get standing(): Microseconds {
    return this.#standing.length;
  }

  /** Time that a packet waited above the shortest recent delay; `undefined` for one that was lost. */
  waitOf({ sentAt, arrivedAt }: PacketReport): Microseconds | undefined {
    if (arrivedAt === undefined) return undefined;
    return microseconds(Math.max(0, arrivedAt - sentAt - this.#oneWay.value));
  }

  /** Waits up to this may be jitter. */
  get jitter(): Microseconds {
    return this.#standing.jitter;
  }

  /** Rate of other traffic through the bottleneck; `undefined` while too little is known. */
  get competingTraffic(): CompetingTraffic['estimate'] {
    return this.#cross.estimate;
  }

  /** Time of the last report; `undefined` before the first. */
  get heardAt(): Instant | undefined {
    return this.#heardAt;
  }

  /** The capacity that the path fell below for this share of the memory's time; ∞ when that was not measured. */
  lowCapacity(share: number): number {
    return this.#meter.timeQuantile(share) ?? Number.POSITIVE_INFINITY;
  }

  /** The capacity that this share of the memory's samples fell below; ∞ when that was not measured. */
  sampledCapacity(share: number): number {
    return this.#meter.quantile(share) ?? Number.POSITIVE_INFINITY;
  }

  /** 90th percentile of the measured capacities of the memory relative to the 10th; 1 while too few are known. */
  get capacitySpread(): number {
    return this.#meter.spread;
  }

  onSent(now: Instant, { number, bytes }: SentPacket): void {
    this.#queue.onSent(now, number, bytes);
    this.#setTimer();
  }

  onFeedback(now: Instant, { packets, roundTripLatest }: CongestionFeedback): void {
    const gap = elapsed(this.#heardAt ?? now, now);
    if (gap < REPORT_GAP_MAX)
      this.#reportGap = microseconds(this.#reportGap + (gap - this.#reportGap) * REPORT_GAP_WEIGHT);
    this.#heardAt = now;
    this.#roundTrip.observe(now, roundTripLatest);
    const newest = this.#onPackets(now, packets, microseconds(roundTripLatest - this.#roundTrip.value));
    if (newest && this.#waited !== undefined) {
      this.#queue.onReported(newest.number, newest.sentAt, this.#waited);
      if (this.#waited < gap * GAP_WAITED) this.#meter.withdraw();
      else if (gap > OUTAGE_MIN) this.#meter.forget();
      else this.#meter.confirm();
    }
    this.#measure(now, microseconds(0));
    this.#setTimer();
  }

  /** Time at which reports are overdue; `undefined` while nothing is under way. */
  pollTimeout(): Instant | undefined {
    return this.#overdueAt;
  }

  onTimeout(now: Instant): void {
    this.#measure(now, this.silence(now));
    this.#overdueAt = later(now, SILENCE_INTERVAL);
  }

  /** Time since reports are overdue; 0 while they are not. */
  silence(now: Instant): Microseconds {
    const oldest = this.#queue.oldestSentAt;
    if (oldest === undefined || this.#heardAt === undefined) return microseconds(0);
    return microseconds(Math.max(0, now - this.#dueAt(oldest, this.#heardAt)));
  }

  /**
   * Time from `at` until everything sent so far has passed the bottleneck.
   * @param rate of the bottleneck, bytes per second.
   */
  queueAt(at: Instant, now: Instant, rate: number): Microseconds {
    // While reports are overdue, nothing has passed since the oldest of them could have been sent.
    const idleUntil = this.silence(now) > 0 ? instant(now - this.#roundTrip.value) : undefined;
    return this.#queue.emptyAfter(at, rate, idleUntil);
  }

  /** @returns the newest packet that was received. */
  #onPackets(now: Instant, packets: readonly PacketReport[], roundTripRise: Microseconds): PacketReport | undefined {
    let newest: PacketReport | undefined;
    for (const packet of packets) {
      if (packet.arrivedAt === undefined) continue;
      newest = packet;
      this.#oneWay.observe(now, microseconds(packet.arrivedAt - packet.sentAt));
    }
    if (!newest) return undefined;
    const delay = microseconds(newest.arrivedAt! - newest.sentAt);
    // A queue lengthens the round trip as well; what does not is one of the two clocks.
    if (delay - this.#oneWay.value > roundTripRise + CLOCK_STEP_MIN) {
      this.#oneWay.restart(now, microseconds(delay - roundTripRise));
      this.#meter.restart();
    }
    const waits: Microseconds[] = [];
    for (const packet of packets) {
      const wait = this.waitOf(packet);
      if (wait === undefined) continue;
      waits.push(wait);
      const { sentAt, bytes } = packet;
      const arrivedAt = packet.arrivedAt!;
      if (wait > USE_MIN) this.#cross.onWaited(now, { sentAt, arrivedAt, bytes });
      else this.#cross.interrupt();
      const entersAt = microseconds(sentAt + this.#oneWay.value);
      this.#meter.onPassage({ entersAt, leavesAt: arrivedAt, bytes });
    }
    this.#standing.observe(now, waits);
    this.#waited = waits.at(-1);
    return newest;
  }

  #measure(now: Instant, silence: Microseconds): void {
    const measured = this.#meter.measure(silence);
    this.#capacity = measured && this.#capacityOf(measured);
    if (now - this.#sampledAt < SAMPLE_INTERVAL) return;
    this.#sampledAt = now;
    this.#meter.sample(now, this.#capacity ?? Number.POSITIVE_INFINITY, silence > 0);
  }

  #capacityOf({ rate, firstShare, passed, waitMax }: MeasuredCapacity): number {
    const { waitHarmless = microseconds(0) } = this.#options;
    const isLowerBound = firstShare > FIRST_SHARE_MIN && waitMax <= waitHarmless;
    return isLowerBound ? Math.max(rate, RISE * passed) : rate;
  }

  #dueAt(oldest: Instant, heardAt: Instant): Instant {
    const { feedbackInterval } = this.#options;
    const gap = Math.max(feedbackInterval + REPORT_MARGIN, this.#reportGap * REPORT_GAPS);
    return instant(Math.max(heardAt + REPORT_MARGIN, oldest + this.#roundTrip.value + gap));
  }

  #setTimer(): void {
    const oldest = this.#queue.oldestSentAt;
    const due = oldest === undefined || this.#heardAt === undefined ? undefined : this.#dueAt(oldest, this.#heardAt);
    this.#overdueAt = due && later(due, SILENCE_INTERVAL);
  }
}
