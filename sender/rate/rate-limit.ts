import {
  amountIn,
  elapsed,
  type Instant,
  instant,
  later,
  type Microseconds,
  microseconds,
  milliseconds,
  perSecond,
  SECOND,
  seconds,
} from '../../protocol/base/units.ts';
import { WindowedMaximum } from '../../protocol/base/windowed-maximum.ts';
import type { PathNotice } from '../../protocol/rtcp/recovery-notice.ts';
import { PacingDelay } from './pacing-delay.ts';
import type { RateController, SentPacket } from './rate-controller.ts';
import { SustainedCondition } from './sustained-condition.ts';

/** Recent loss, queueing delay and round trip of the path. */
type Load = Pick<PathNotice, 'recentLoss' | 'queueing' | 'latency' | 'answerTime'>;

/** Loss above which the available redundancy cannot recover everything. */
const LOSS_MAX = 0.2;
/**
 * Sustained loss together with a standing queue is treated as congestion. The hold time excludes bursts that coincide
 * with jitter.
 */
const QUEUEING_MIN: Microseconds = milliseconds(10);
const FULL_FOR: Microseconds = milliseconds(600);
/** Packets over which the loss must have been sustained: of a few, bursty random loss takes this share at times. */
const FULL_PACKETS = 100;
/**
 * Loss without a queue may come from a bottleneck with a tiny buffer. Bursty random loss exceeds this share only
 * briefly; loss above it for this long triggers a trial cut.
 */
const LOSS_WITHOUT_QUEUE = 0.3;
const LOSSY_FOR: Microseconds = seconds(2);
/** Interval between trial cuts after one that did not help. */
const TRIAL_INTERVAL: Microseconds = seconds(30);
const TRIAL_INTERVAL_QUEUED: Microseconds = seconds(2);
/** Remaining share of the loss after a cut that helped, with a queue and without. */
const HELPED = 0.5;
const HELPED_WITHOUT_QUEUE = 0.25;
/** Expected decrease of a queue that drains, as a share of the elapsed time. */
const EMPTIES = 0.05;
const IN_VAIN_MAX = 3;
/**
 * Increase of the loss over that at a lower rate, and its duration, that shows a path without a queue to be full again.
 */
const LOSS_MORE = 0.12;
const LOSS_MORE_FOR: Microseconds = milliseconds(1_200);
/** A queue of this length, and this share of the latency, for this long, takes the time that recovery needs. */
const QUEUEING_MAX: Microseconds = milliseconds(30);
const QUEUEING_OF_LATENCY = 0.25;
const QUEUED_FOR: Microseconds = milliseconds(350);
/** Delay until a rate change shows in the feedback, plus a round trip. */
const EFFECT: Microseconds = milliseconds(600);
const EFFECT_WITHOUT_QUEUE: Microseconds = milliseconds(1_500);
/** Share of the delivered rate used after a cut, so that the queue drains. */
const SHARE_OF_DELIVERED = 0.85;
/**
 * Growth per second: up to the rate recently carried without a queue, because a brief dip is likely to end; up to the
 * rate delivered when the path was last full; at that rate; and well beyond.
 */
const GROWTH_TO_CARRIED = 1;
const GROWTH = 0.05;
const GROWTH_AT_CEILING = 0.01;
const GROWTH_BEYOND = 0.1;
/** Utilization below which the limit holds back more than intended, and its growth then. */
const STARVING = 0.6;
const GROWTH_OF_STARVING = 4;
/** A second cut this soon after growth means that the path is still full; growth pauses. */
const IN_VAIN_WITHIN: Microseconds = seconds(4);
const FULL_AGAIN_FOR: Microseconds = milliseconds(300);
const GROWTH_STEP_MAX: Microseconds = milliseconds(200);
const NEAR_CEILING = 0.92;
const BEYOND_CEILING = 1.1;
/** A limit this far above the demand is dropped. */
const LIMIT_OF_NEED = 1.5;
const MEASURED_OVER: Microseconds = milliseconds(500);
/** A rate counts as carried with hardly any loss and no standing queue; remembered for once to twice this time. */
const NEAR_CARRIED = 0.75;
const CARRIED_LOSS_MAX = 0.05;
const CARRIED_MEMORY: Microseconds = seconds(10);

/** Pacing rate relative to the limit. The limit includes redundancy, so a single frame may leave slightly faster. */
const PACE_OF_LIMIT = 1.25;

interface Cut {
  readonly at: Instant;
  readonly queueing: Microseconds;
  readonly loss: number;
  /** True when a queue showed that the path was full; false for a trial. */
  readonly queued: boolean;
}

/**
 * Estimates the capacity of a path that carries less than it is sent: either packets are lost while a queue stands, or
 * the loss ends when less is sent. Random loss, also in bursts, does not depend on the rate, and a longer route has no
 * loss, so neither limits the sender for long.
 *
 * This is the minimum for live video with a deadline, not fair congestion control: it cuts only what would be lost
 * anyway.
 */
export class RateLimit implements RateController {
  #limit: number | undefined;
  /** Rate delivered when the path was last full, bytes per second. */
  #ceiling = 0;
  /** Last decrease. The first one is judged by its effect; later ones follow only if one has helped. */
  #cut: Cut | undefined;
  #judged = true;
  /** Shortest queueing delay since the last cut, and the number of cuts that did not shorten it. */
  #queueingLeast: Microseconds = microseconds(Number.POSITIVE_INFINITY);
  #inVain = 0;
  /** Time of the last growth of a starving limit, and the time until which it pauses. */
  #grownBackAt: Instant = instant(Number.NEGATIVE_INFINITY);
  #starvesUntil: Instant = instant(Number.NEGATIVE_INFINITY);
  /** Loss at the rate that helped. */
  #lossLeast = 0;
  readonly #full = new SustainedCondition();
  readonly #queued = new SustainedCondition();
  readonly #lossy = new SustainedCondition();
  readonly #lossyAgain = new SustainedCondition();
  #trialAt: Instant = instant(Number.NEGATIVE_INFINITY);
  #sentSince = 0;
  #grownAt: Instant = instant(0);
  readonly #pacing = new PacingDelay();
  readonly #carried = new WindowedMaximum({ slot: CARRIED_MEMORY });
  #measuredAt: Instant | undefined;
  #sent = 0;
  #packets = 0;
  #packetRate = 0;
  #wanted = 0;
  #sentRate = 0;
  #sentRateBefore = 0;
  #wantedRate = 0;

  /** The limit, bytes per second; `undefined` while none is known. */
  get target(): number | undefined {
    return this.#limit;
  }

  get pacingRate(): number | undefined {
    return this.#limit && this.#limit * PACE_OF_LIMIT;
  }

  get standingQueue(): undefined {
    return undefined;
  }

  /** The path notices suffice. */
  get feedbackInterval(): undefined {
    return undefined;
  }

  onFeedback(): void {}

  pollTimeout(): undefined {
    return undefined;
  }

  onTimeout(): void {}

  onOffered(now: Instant, bytes: number): void {
    this.#wanted += bytes;
    this.#measuredAt ??= now;
    const passed = elapsed(this.#measuredAt, now);
    if (passed < MEASURED_OVER) return;
    this.#sentRateBefore = this.#sentRate;
    this.#sentRate = perSecond(this.#sent, passed);
    this.#packetRate = perSecond(this.#packets, passed);
    this.#wantedRate = perSecond(this.#wanted, passed);
    this.#measuredAt = now;
    this.#sent = 0;
    this.#packets = 0;
    this.#wanted = 0;
  }

  onSent(_now: Instant, { bytes }: Pick<SentPacket, 'bytes'>): void {
    this.#sent += bytes;
    this.#packets++;
    this.#sentSince += bytes;
  }

  onPaced(now: Instant, waited: Microseconds): void {
    this.#pacing.onSent(now, waited);
  }

  onPath(now: Instant, reported: Load): void {
    if (this.#sentRate === 0 && this.#limit === undefined) return;
    const load = { ...reported, queueing: microseconds(Math.max(0, reported.queueing - this.#pacing.at(now))) };
    const fresh = this.#cut === undefined || now - this.#cut.at > EFFECT + 2 * MEASURED_OVER;
    if (fresh && load.recentLoss < CARRIED_LOSS_MAX && load.queueing < QUEUEING_MIN) {
      // The feedback describes the path at about the time of the previous rate.
      this.#carried.observe(now, Math.min(this.#sentRate, this.#sentRateBefore));
    }
    const effect = this.#cut?.queued === false && !this.#judged ? EFFECT_WITHOUT_QUEUE : EFFECT;
    if (this.#cut && now - this.#cut.at < effect + load.answerTime) return;
    this.#queueingLeast = microseconds(Math.min(this.#queueingLeast, load.queueing));
    const onTrial = now - this.#grownBackAt < IN_VAIN_WITHIN;
    const fullFor = onTrial ? FULL_AGAIN_FOR : microseconds(Math.max(FULL_FOR, this.#timeOf(FULL_PACKETS)));
    const full = this.#full.update(now, load.recentLoss > LOSS_MAX && load.queueing > QUEUEING_MIN, fullFor);
    if (this.#limit === undefined) {
      const lossy = this.#lossy.update(now, load.recentLoss > LOSS_WITHOUT_QUEUE, LOSSY_FOR);
      const interval = full ? TRIAL_INTERVAL_QUEUED : TRIAL_INTERVAL;
      if ((full || lossy) && now - this.#trialAt >= interval) this.#lower(now, load, full);
      return;
    }
    if (this.#starves && now >= this.#starvesUntil && load.recentLoss <= LOSS_MAX && load.queueing < QUEUEING_MIN)
      return this.#growBack(now, load);
    // A rate must have been used for a while before its effect is known.
    if (this.#sentSince < amountIn(EFFECT, this.#limit)) return;
    if (!this.#judged) {
      this.#judged = true;
      this.#lossLeast = load.recentLoss;
      if (!this.#helped(load)) return this.#giveUp(now);
    }
    this.#lossLeast = Math.min(this.#lossLeast, load.recentLoss);
    const queueingMax = Math.max(QUEUEING_MAX, load.latency * QUEUEING_OF_LATENCY);
    const queued = this.#queued.update(now, load.queueing > queueingMax, QUEUED_FOR);
    if (full || queued || this.#isLossyAgain(now, load)) this.#lowerAgain(now, load);
    else this.#grow(now, load.queueing);
  }

  #timeOf(packets: number): Microseconds {
    return microseconds((packets / Math.max(1, this.#packetRate)) * SECOND);
  }

  /** True when less is sent than allowed: the limit is too small for anything but key frames. */
  get #starves(): boolean {
    return (this.#sentRate + this.#sentRateBefore) / 2 < this.#limit! * STARVING;
  }

  /** Raises a limit that blocks nearly everything and so yields no information; an empty path is probed quickly. */
  #growBack(now: Instant, { recentLoss }: Load): void {
    this.#judged = true;
    this.#grownBackAt = now;
    this.#lossLeast = Math.min(this.#lossLeast, recentLoss);
    this.#growBy(now, GROWTH_OF_STARVING);
  }

  #helped({ recentLoss }: Load): boolean {
    const { loss, queued } = this.#cut!;
    return recentLoss <= loss * (queued ? HELPED : HELPED_WITHOUT_QUEUE);
  }

  /** Where a queue indicates a full path, loss alone does not. */
  #isLossyAgain(now: Instant, { recentLoss }: Load): boolean {
    if (this.#cut!.queued) return false;
    return this.#lossyAgain.update(now, recentLoss > this.#lossLeast + LOSS_MORE, LOSS_MORE_FOR);
  }

  /** A queue that no rate drains is a longer route. */
  #lowerAgain(now: Instant, load: Load): void {
    const { at, queueing, queued } = this.#cut!;
    const empties = this.#queueingLeast < Math.max(QUEUEING_MIN, queueing - (now - at) * EMPTIES);
    this.#inVain = queued && load.recentLoss < LOSS_MAX && !empties ? this.#inVain + 1 : 0;
    if (this.#inVain >= IN_VAIN_MAX) this.#giveUp(now);
    else this.#lower(now, load, queued || load.queueing > QUEUEING_MIN);
  }

  #lower(now: Instant, { recentLoss, queueing }: Load, queued: boolean): void {
    this.#judged = this.#limit !== undefined;
    if (now - this.#grownBackAt < IN_VAIN_WITHIN) this.#starvesUntil = later(now, TRIAL_INTERVAL);
    this.#cut = { at: now, queueing, loss: recentLoss, queued };
    this.#ceiling = (this.#limit ?? this.#sentRate) * (1 - recentLoss);
    this.#limit = this.#ceiling * SHARE_OF_DELIVERED;
    this.#queueingLeast = microseconds(Number.POSITIVE_INFINITY);
    this.#sentSince = 0;
    this.#grownAt = now;
    this.#forget();
  }

  #giveUp(now: Instant): void {
    this.#limit = undefined;
    this.#cut = undefined;
    this.#inVain = 0;
    this.#trialAt = now;
    this.#forget();
  }

  #grow(now: Instant, queueing: Microseconds): void {
    const carried = queueing < QUEUEING_MIN && this.#limit! < this.#carried.at(now) * NEAR_CARRIED;
    const growth = carried ? GROWTH_TO_CARRIED : this.#growth(this.#limit! / this.#ceiling);
    this.#growBy(now, growth);
  }

  /** @param growth factor per second. */
  #growBy(now: Instant, growth: number): void {
    this.#limit! *= 1 + (growth * Math.min(GROWTH_STEP_MAX, now - this.#grownAt)) / SECOND;
    this.#grownAt = now;
    if (this.#limit! <= this.#wantedRate * LIMIT_OF_NEED) return;
    this.#limit = undefined;
    this.#cut = undefined;
  }

  #growth(ofCeiling: number): number {
    if (ofCeiling < NEAR_CEILING) return GROWTH;
    return ofCeiling < BEYOND_CEILING ? GROWTH_AT_CEILING : GROWTH_BEYOND;
  }

  #forget(): void {
    this.#full.reset();
    this.#queued.reset();
    this.#lossy.reset();
    this.#lossyAgain.reset();
  }
}
