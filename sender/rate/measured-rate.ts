import {
  elapsed,
  type Instant,
  instant,
  type Microseconds,
  microseconds,
  milliseconds,
  seconds,
  timeFor,
} from '../../protocol/base/units.ts';
import type { PathNotice } from '../../protocol/rtcp/recovery-notice.ts';
import { OfferedBacklog } from './offered-backlog.ts';
import { PathModel } from './path-model.ts';
import { QueueLosses } from './queue-losses.ts';
import type { CongestionFeedback, PathLoad, RateController, SentPacket } from './rate-controller.ts';
import { RateLimit } from './rate-limit.ts';

/** One report for each frame of 30 frames per second, and two for one that takes longer. */
const FEEDBACK_INTERVAL: Microseconds = milliseconds(20);
/** A standing queue from which reports are requested. */
const QUEUEING_MIN: Microseconds = milliseconds(10);
const WINDOW: Microseconds = milliseconds(100);
/** Time over which the capacity is compared with itself. */
const MEMORY: Microseconds = seconds(3);
/**
 * A capacity whose 90th percentile is this many times its 10th varies. In a queue of ours on a constant path the two
 * differ by less than a tenth, on recorded mobile paths by a factor of three and more.
 */
const VARIES = 2;
/** Time for which a path that varied counts as such. */
const VARIES_FOR: Microseconds = seconds(30);
/**
 * Above this share of the latency, or this time, of queueing, nothing is retransmitted, so that the queue drains: on
 * ATT-LTE-driving-2016, 3 Mb/s, 150 and 300 ms, 46.3 and 52.6 % of the frames are in time otherwise, 51.6 and 59.9 %
 * with it.
 */
const FULL_OF_LATENCY = 0.5;
const FULL_MIN: Microseconds = milliseconds(250);
/** Time for which a queue that was seen explains losses. */
const QUEUE_MEMORY: Microseconds = seconds(2);
/** Losses are those of a queue when the path accounts for less than this share. */
const SHARE_OF_PATH_MIN = 0.5;
/**
 * Latency from which frames may wait in the sender. Below, a path that returns from an outage has to find them in its own
 * queue: on the modelled drive at 150 ms, 58 % of the frames are in time without waiting, 48 % with it.
 */
const LATENCY_MIN: Microseconds = milliseconds(400);
/** Longest queue on the path; what exceeds it waits in the sender. */
const QUEUE_MAX: Microseconds = milliseconds(150);
/** Time without reports after which packets leave again: those on the path may all have been lost. */
const SILENCE_MAX: Microseconds = milliseconds(400);
/** Quantiles of the capacities of the memory. */
const USUAL = 0.5;
const BEST = 0.9;
/**
 * Backlog of offered frames above which the path is too narrow on average. An outage of up to this length withholds
 * nothing: on the modelled drive, 1.6 Mb/s, 1,000 ms, 85 % of the frames are in time otherwise, 91 % with it.
 */
const BACKLOG_MIN: Microseconds = milliseconds(2_500);

/**
 * For a source that cannot adapt: `RateLimit`, but where the reports on single packets show a capacity that varies. There,
 * packets that are only queued are not retransmitted, nor is anything while the queue is too long, and losses of a full
 * queue are not answered with repair packets. Where the latency is long enough, the queue of the path is kept short, since
 * a packet that waits in the sender is not lost; and a frame is withheld when the path is too narrow on average and even
 * its best capacity would carry the frame too late. Reports are requested once the receiver notes a queue.
 */
export class MeasuredRate implements RateController {
  readonly #path = new PathModel({ feedbackInterval: FEEDBACK_INTERVAL, window: WINDOW, memory: MEMORY });
  readonly #losses = new QueueLosses();
  readonly #backlog = new OfferedBacklog();
  readonly #fullFrom: Microseconds;
  readonly #mayWait: boolean;
  #limit = new RateLimit();
  #wantsReports = false;
  #queuedAt: Instant = instant(Number.NEGATIVE_INFINITY);
  #varies = false;
  #variedAt: Instant = instant(Number.NEGATIVE_INFINITY);
  /** True while the queue of the path is long enough. */
  #isFilled = false;
  /** True when the receiver sends notices, as those do for whose deadline frames are withheld. */
  #hasNotices = false;

  /** @param latency play-out delay above the fastest observed transit. */
  constructor(latency: Microseconds) {
    this.#fullFrom = microseconds(Math.min(latency * FULL_OF_LATENCY, FULL_MIN));
    this.#mayWait = latency >= LATENCY_MIN;
  }

  get target(): number | undefined {
    return this.#varies ? undefined : this.#limit.target;
  }

  get pacingRate(): number | undefined {
    return this.#varies ? undefined : this.#limit.pacingRate;
  }

  get windowBytes(): number | undefined {
    return this.#isFilled ? 0 : undefined;
  }

  get standingQueue(): Microseconds | undefined {
    return this.#path.waited;
  }

  get feedbackInterval(): Microseconds | undefined {
    return this.#wantsReports ? FEEDBACK_INTERVAL : undefined;
  }

  loadAt(now: Instant): PathLoad {
    if (!this.#varies || !this.#isQueued(now)) return 'free';
    return this.#path.standing > this.#fullFrom ? 'full' : 'queued';
  }

  repairableLoss(now: Instant): number {
    if (!this.#varies) return 1;
    const isQueued = this.#isQueued(now);
    if (isQueued) this.#queuedAt = now;
    const { shareOfPath } = this.#losses;
    const explains = now - this.#queuedAt < QUEUE_MEMORY && shareOfPath < SHARE_OF_PATH_MIN;
    return isQueued || explains ? 0 : shareOfPath;
  }

  waitOf(now: Instant, bytes: number): Microseconds | undefined {
    if (!this.#varies || !this.#mayWait || this.#backlog.length < BACKLOG_MIN) return undefined;
    const capacity = this.#path.sampledCapacity(BEST);
    if (!Number.isFinite(capacity) || capacity <= 0) return undefined;
    return microseconds(this.#path.queueAt(now, now, capacity) + timeFor(bytes, capacity));
  }

  #isQueued(now: Instant): boolean {
    const { standing, jitter } = this.#path;
    return standing > 0 || this.#path.silence(now) > jitter;
  }

  onOffered(now: Instant, bytes: number): void {
    this.#limit.onOffered(now, bytes);
    this.#backlog.onOffered(now, bytes);
    this.#look(now);
  }

  onPaced(now: Instant, waited: Microseconds): void {
    this.#limit.onPaced(now, waited);
  }

  onSent(now: Instant, packet: SentPacket): void {
    this.#limit.onSent(now, packet);
    if (!this.#wantsReports) return;
    this.#path.onSent(now, packet);
    this.#look(now);
  }

  onPath(now: Instant, path: PathNotice): void {
    this.#hasNotices = true;
    if (path.queueing > QUEUEING_MIN) this.onQueue();
    if (!this.#varies) this.#limit.onPath(now, path);
  }

  onQueue(): void {
    this.#wantsReports = true;
  }

  onFeedback(now: Instant, feedback: CongestionFeedback): void {
    this.#drainBacklog(now);
    this.#path.onFeedback(now, feedback);
    if (this.#path.standing > 0) this.#queuedAt = now;
    const waits = feedback.packets.map((packet) => this.#path.waitOf(packet));
    this.#losses.onReport(now, waits);
    if (this.#path.standing > 0 && this.#path.capacitySpread > VARIES) {
      this.#varies = true;
      this.#variedAt = now;
    } else if (this.#varies && elapsed(this.#variedAt, now) > VARIES_FOR) {
      this.#varies = false;
      // Its view of the path is from before.
      this.#limit = new RateLimit();
    }
    this.#look(now);
  }

  pollTimeout(): Instant | undefined {
    return this.#path.pollTimeout();
  }

  onTimeout(now: Instant): void {
    this.#path.onTimeout(now);
    this.#look(now);
  }

  #look(now: Instant): void {
    this.#drainBacklog(now);
    this.#isFilled = this.#varies && this.#mayWait && this.#hasNotices && this.#queueIsLong(now);
  }

  /**
   * True when more is under way than the path carries within `QUEUE_MAX`. What is offered counts as carried at least: a path that
   * has carried little of late may be one to which little was sent.
   */
  #queueIsLong(now: Instant): boolean {
    if (this.#path.silence(now) >= SILENCE_MAX) return false;
    const usual = this.#path.sampledCapacity(USUAL);
    const capacity = Math.max(this.#path.capacity ?? 0, Number.isFinite(usual) ? usual : 0, this.#backlog.rate);
    return capacity > 0 && this.#path.queueAt(now, now, capacity) > QUEUE_MAX;
  }

  /** An idle path carries what it usually does, and none while reports are overdue. */
  #drainBacklog(now: Instant): void {
    const usual = this.#path.sampledCapacity(USUAL);
    const isSilent = this.#path.silence(now) > 0;
    const busy = isSilent ? 0 : (this.#path.capacity ?? usual);
    this.#backlog.drain(now, this.#isQueued(now) ? busy : usual);
  }
}
