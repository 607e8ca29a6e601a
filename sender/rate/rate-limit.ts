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
import { PacingDelay } from './pacing-delay.ts';
import type { RateController, RateFeedback } from './rate-controller.ts';
import { SustainedCondition } from './sustained-condition.ts';

/** What a path lost of late, the queue in front of the bottleneck, and the round trip. */
type Load = Pick<RateFeedback, 'recentLoss' | 'queueing' | 'latency' | 'answerTime'>;

/** From here on the redundancy that there is can not make up for what is lost. */
const LOSS_MAX = 0.2;
/** Losses beside a queue are the queue's, when both last: for a moment a burst of losses and some jitter look alike. */
const QUEUEING_MIN: Microseconds = milliseconds(10);
const FULL_FOR: Microseconds = milliseconds(600);
/**
 * Losses without a queue may be those of a bottleneck that has hardly any: what is lost in runs stays below so much for
 * all but a moment, and what loses more for so long is tried.
 */
const LOSS_WITHOUT_QUEUE = 0.3;
const LOSSY_FOR: Microseconds = seconds(2);
/** A trial that did not help is not repeated soon, where it was a guess. */
const TRIAL_INTERVAL: Microseconds = seconds(30);
const TRIAL_INTERVAL_QUEUED: Microseconds = seconds(2);
/** What is left of the losses after a rate that helped, with a queue to show and without. */
const HELPED = 0.5;
const HELPED_WITHOUT_QUEUE = 0.25;
/** By how much less a queue is there when it empties, of the time that passed. */
const EMPTIES = 0.05;
const IN_VAIN_MAX = 3;
/** How much more than at a lower rate is lost, and for how long, when a path that has no queue is full again. */
const LOSS_MORE = 0.12;
const LOSS_MORE_FOR: Microseconds = milliseconds(1_200);
/** A queue of so much, and of such a share of the latency, takes the time that recovery needs, when it is there for so long. */
const QUEUEING_MAX: Microseconds = milliseconds(30);
const QUEUEING_OF_LATENCY = 0.25;
const QUEUED_FOR: Microseconds = milliseconds(350);
/** What a change of the rate has done shows after so long, and a round trip. */
const EFFECT: Microseconds = milliseconds(600);
const EFFECT_WITHOUT_QUEUE: Microseconds = milliseconds(1_500);
/** Less than the path has shown to carry, so that its queue empties. */
const SHARE_OF_DELIVERED = 0.85;
/**
 * How fast more is tried, a second: up to what was carried of late without a queue, as a path that carries less for a
 * second soon carries more; up to what came through when it was full last; at that; and well beyond.
 */
const GROWTH_TO_CARRIED = 1;
const GROWTH = 0.05;
const GROWTH_AT_CEILING = 0.01;
const GROWTH_BEYOND = 0.1;
/** Where so little of what is allowed is sent, the limit holds back more than it means to, and grows so fast. */
const STARVING = 0.6;
const GROWTH_OF_STARVING = 4;
/** Where it is cut again so soon after, the path is as full as it was, and that is not tried again soon. */
const IN_VAIN_WITHIN: Microseconds = seconds(4);
const FULL_AGAIN_FOR: Microseconds = milliseconds(300);
const GROWTH_STEP_MAX: Microseconds = milliseconds(200);
const NEAR_CEILING = 0.92;
const BEYOND_CEILING = 1.1;
/** So much more than the stream asks for is no limit. */
const LIMIT_OF_NEED = 1.5;
const MEASURED_OVER: Microseconds = milliseconds(500);
/** A rate is carried while hardly anything is lost and no queue stands; for so long, and up to twice as long, it counts. */
const NEAR_CARRIED = 0.75;
const CARRIED_LOSS_MAX = 0.05;
const CARRIED_MEMORY: Microseconds = seconds(10);

interface Cut {
  readonly at: Instant;
  readonly queueing: Microseconds;
  readonly loss: number;
  /** Whether a queue showed that the path was full; otherwise it was a guess. */
  readonly queued: boolean;
}

/**
 * How many bytes a second a path carries, once it has shown that it carries less than it is given: packets are lost and
 * a queue stands, or they are no longer lost once less is sent. Random losses stay what they are, also where they come
 * in runs, and a longer way has none: neither limits anything for long.
 *
 * It is the least that live video with a deadline needs and no fair share of a path: what is cut is what would be lost.
 */
export class RateLimit implements RateController {
  #limit: number | undefined;
  /** What came through when the path was full last, bytes a second. */
  #ceiling = 0;
  /** The last change downwards; the first is judged by what it did, later ones are made where one has helped already. */
  #cut: Cut | undefined;
  #judged = true;
  /** The shortest queue since the last cut, and the cuts that did not shorten it. */
  #queueingLeast: Microseconds = microseconds(Number.POSITIVE_INFINITY);
  #inVain = 0;
  /** When a limit that starves the stream grew last, and until when it does not. */
  #grownBackAt: Instant = instant(Number.NEGATIVE_INFINITY);
  #starvesUntil: Instant = instant(Number.NEGATIVE_INFINITY);
  /** The loss at the rate that helped. */
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
  #wanted = 0;
  #sentRate = 0;
  #sentRateBefore = 0;
  #wantedRate = 0;

  /** The limit, bytes a second; `undefined` while none is known. */
  get target(): number | undefined {
    return this.#limit;
  }

  onOffered(now: Instant, bytes: number): void {
    this.#wanted += bytes;
    this.#measuredAt ??= now;
    const passed = elapsed(this.#measuredAt, now);
    if (passed < MEASURED_OVER) return;
    this.#sentRateBefore = this.#sentRate;
    this.#sentRate = perSecond(this.#sent, passed);
    this.#wantedRate = perSecond(this.#wanted, passed);
    this.#measuredAt = now;
    this.#sent = 0;
    this.#wanted = 0;
  }

  onSent(_now: Instant, bytes: number): void {
    this.#sent += bytes;
    this.#sentSince += bytes;
  }

  onPaced(now: Instant, waited: Microseconds): void {
    this.#pacing.onSent(now, waited);
  }

  onFeedback(now: Instant, told: Load): void {
    if (this.#sentRate === 0 && this.#limit === undefined) return;
    const load = { ...told, queueing: microseconds(Math.max(0, told.queueing - this.#pacing.at(now))) };
    const fresh = this.#cut === undefined || now - this.#cut.at > EFFECT + 2 * MEASURED_OVER;
    if (fresh && load.recentLoss < CARRIED_LOSS_MAX && load.queueing < QUEUEING_MIN) {
      // What is told of the path is about as old as the rate before this one.
      this.#carried.observe(now, Math.min(this.#sentRate, this.#sentRateBefore));
    }
    const effect = this.#cut?.queued === false && !this.#judged ? EFFECT_WITHOUT_QUEUE : EFFECT;
    if (this.#cut && now - this.#cut.at < effect + load.answerTime) return;
    this.#queueingLeast = microseconds(Math.min(this.#queueingLeast, load.queueing));
    const onTrial = now - this.#grownBackAt < IN_VAIN_WITHIN;
    const fullFor = onTrial ? FULL_AGAIN_FOR : FULL_FOR;
    const full = this.#full.update(now, load.recentLoss > LOSS_MAX && load.queueing > QUEUEING_MIN, fullFor);
    if (this.#limit === undefined) {
      const lossy = this.#lossy.update(now, load.recentLoss > LOSS_WITHOUT_QUEUE, LOSSY_FOR);
      const interval = full ? TRIAL_INTERVAL_QUEUED : TRIAL_INTERVAL;
      if ((full || lossy) && now - this.#trialAt >= interval) this.#lower(now, load, full);
      return;
    }
    if (this.#starves && now >= this.#starvesUntil && load.recentLoss <= LOSS_MAX && load.queueing < QUEUEING_MIN)
      return this.#growBack(now, load);
    // Nothing is known of a rate before it has been sent at for a while.
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

  /** Less is sent than the limit allows: it is too small for any but key frames. */
  get #starves(): boolean {
    return (this.#sentRate + this.#sentRateBefore) / 2 < this.#limit! * STARVING;
  }

  /** A limit that lets nothing through says nothing of a path any more: on one that is empty it is tried out soon. */
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

  /** Where a queue tells when a path is full, losses alone do not. */
  #isLossyAgain(now: Instant, { recentLoss }: Load): boolean {
    if (this.#cut!.queued) return false;
    return this.#lossyAgain.update(now, recentLoss > this.#lossLeast + LOSS_MORE, LOSS_MORE_FOR);
  }

  /** A queue that no rate empties is none, but a longer way. */
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

  /** @param growth a second. */
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
