import type { Instant, Microseconds } from '../protocol/instant.ts';
import type { PathNotice } from '../protocol/recovery-notice.ts';

/** What a path lost of late, and the queue in front of what it lost it at. */
type PathLoad = Pick<PathNotice, 'recentLoss' | 'queueing'>;

/** From here on the redundancy that there is can not make up for what is lost. */
const LOSS_MAX = 0.2;
/** Losses beside a queue are the queue's. */
const QUEUEING_MIN: Microseconds = 5_000;
/** Losses without one may be those of a bottleneck that has hardly any: after so long it is tried. */
const LOSSY_FOR: Microseconds = 1_500_000;
/** A trial that did not help is not repeated soon. */
const TRIAL_INTERVAL: Microseconds = 30_000_000;
/** What is left of the losses after a rate that helped. */
const HELPED = 0.5;
/** How much more than at a lower rate is lost when the path is full again. */
const LOSS_MORE = 0.08;
/** A queue that stands this long takes the time that recovery needs. */
const QUEUEING_MAX: Microseconds = 30_000;
/** What a change of the rate has done shows after so long, and a round trip. */
const EFFECT: Microseconds = 600_000;
/** Less than the path has shown to carry, so that its queue empties. */
const SHARE_OF_DELIVERED = 0.85;
/** How fast more is tried, a second: up to what the path carried when it was full last, and beyond. */
const GROWTH = 0.05;
const GROWTH_BEYOND = 0.01;
const NEAR_CEILING = 0.92;
/** So much more than the stream asks for is no limit. */
const LIMIT_OF_NEED = 1.5;
const MEASURED_OVER: Microseconds = 500_000;

/**
 * How many bytes a second a path carries, once it has shown that it carries less than it is given: packets are lost and
 * a queue stands, or they are no longer lost once less is sent. Random losses stay what they are, and a longer way has
 * none: neither limits anything for long.
 *
 * It is the least that live video with a deadline needs and no fair share of a path: what is cut is what would be lost.
 */
export class PathCapacity {
  #limit: number | undefined;
  /** What came through when the path was full last, bytes a second. */
  #ceiling = 0;
  #lossBefore = 0;
  #lossLeast = 0;
  #lossySince: Instant | undefined;
  #decidedAt: Instant = Number.NEGATIVE_INFINITY;
  #sentSince = 0;
  #judged = true;
  #trialAt: Instant = Number.NEGATIVE_INFINITY;
  #grownAt: Instant = 0;
  #measuredAt: Instant | undefined;
  #sent = 0;
  #wanted = 0;
  #sentRate = 0;
  #wantedRate = 0;

  /** Bytes a second; `undefined`: no limit is known. */
  get limit(): number | undefined {
    return this.#limit;
  }

  /** A frame of so many bytes is to be sent, were there no limit. */
  onWanted(now: Instant, bytes: number): void {
    this.#wanted += bytes;
    this.#measuredAt ??= now;
    const elapsed = now - this.#measuredAt;
    if (elapsed < MEASURED_OVER) return;
    this.#sentRate = (this.#sent * 1_000_000) / elapsed;
    this.#wantedRate = (this.#wanted * 1_000_000) / elapsed;
    this.#measuredAt = now;
    this.#sent = 0;
    this.#wanted = 0;
  }

  /** Bytes of any kind leave. */
  onSent(bytes: number): void {
    this.#sent += bytes;
    this.#sentSince += bytes;
  }

  onLoad(now: Instant, load: PathLoad, roundTrip: Microseconds): void {
    if (now - this.#decidedAt < EFFECT + roundTrip || this.#sentRate === 0) return;
    if (this.#limit === undefined) {
      if (this.#isFull(now, load)) this.#cut(now, load);
      return;
    }
    // Nothing is known of a rate before it has been sent at for a while.
    if (this.#sentSince < (this.#limit * EFFECT) / 1_000_000) return;
    if (!this.#judged) {
      this.#judged = true;
      this.#lossLeast = load.recentLoss;
      if (load.recentLoss > this.#lossBefore * HELPED) return this.#giveUp(now);
    }
    this.#lossLeast = Math.min(this.#lossLeast, load.recentLoss);
    if (load.recentLoss > this.#lossLeast + LOSS_MORE || load.queueing > QUEUEING_MAX) this.#cut(now, load);
    else this.#grow(now);
  }

  /** Whether a path without a limit should get one. */
  #isFull(now: Instant, { recentLoss, queueing }: PathLoad): boolean {
    if (recentLoss <= LOSS_MAX) {
      this.#lossySince = undefined;
      return false;
    }
    if (queueing > QUEUEING_MIN) return true;
    this.#lossySince ??= now;
    return now - this.#lossySince >= LOSSY_FOR && now - this.#trialAt >= TRIAL_INTERVAL;
  }

  #cut(now: Instant, { recentLoss }: PathLoad): void {
    this.#lossBefore = recentLoss;
    // The first cut is judged by what it did; later ones are made where one has helped already.
    this.#judged = this.#limit !== undefined;
    this.#ceiling = (this.#limit ?? this.#sentRate) * (1 - recentLoss);
    this.#limit = this.#ceiling * SHARE_OF_DELIVERED;
    this.#decidedAt = now;
    this.#sentSince = 0;
    this.#grownAt = now;
    this.#lossySince = undefined;
  }

  #giveUp(now: Instant): void {
    this.#limit = undefined;
    this.#trialAt = now;
  }

  #grow(now: Instant): void {
    const growth = this.#limit! < this.#ceiling * NEAR_CEILING ? GROWTH : GROWTH_BEYOND;
    this.#limit! *= 1 + (growth * (now - this.#grownAt)) / 1_000_000;
    this.#grownAt = now;
    if (this.#limit! > this.#wantedRate * LIMIT_OF_NEED) this.#limit = undefined;
  }
}
