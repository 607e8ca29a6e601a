import { elapsed, type Instant, instant, type Microseconds, seconds } from '../../protocol/base/units.ts';
import { CompetingRate } from './competing-rate.ts';
import type { CompetingTraffic } from './competing-traffic.ts';

/**
 * A queue stands, or has gone, for this long before a flow begins or ceases to compete: several round trips, as in Copa
 * (NSDI '18 §4.1), and longer than most fades of a mobile path.
 */
const HOLD: Microseconds = seconds(1);
/**
 * Others compete when they take more than this share: at half of the bottleneck nothing is to be gained. A queue of
 * ours alone shows a share of 0, or more by chance where the capacity varies.
 */
const SHARE_MIN = 0.5;

/** State of the queue by a report. */
export interface QueueObservation {
  /** True while every datagram waits. */
  readonly stands: boolean;
  readonly others: CompetingTraffic['estimate'];
  /** True when a datagram is reported as missing. */
  readonly hasLost: boolean;
  readonly roundTrip: Microseconds;
  /** Target without competitors, bytes per second. */
  readonly target: number;
}

/**
 * Decides whether others keep the queue that stands. Our own control drains a queue of ours, so one that stands all the
 * same, while others use most of the bottleneck, is kept by a flow such as TCP: a share of that bottleneck has to be
 * competed for, as in Copa's mode switching, but with the share measured.
 */
export class Competition {
  readonly #competing = new CompetingRate();
  #stands = false;
  #changedAt: Instant = instant(Number.NEGATIVE_INFINITY);
  #isCompeting = false;
  /** Capacity measured last, bytes per second. */
  #capacity = 0;
  #seeks = false;

  /** @returns the rate beside the others, bytes per second; 0 while nobody competes. */
  update(now: Instant, { stands, others, hasLost, roundTrip, target }: QueueObservation): number {
    if (stands !== this.#stands) this.#changedAt = now;
    this.#stands = stands;
    const holds = elapsed(this.#changedAt, now) >= HOLD;
    if (others) this.#capacity = others.capacity;
    if (this.#isCompeting && !stands && holds) this.#isCompeting = false;
    const terms = { roundTrip, capacity: this.#capacity };
    if (!this.#isCompeting && stands && holds && others && others.share > SHARE_MIN) {
      this.#isCompeting = true;
      this.#competing.begin(now, target, terms);
    }
    this.#seeks = stands && holds && !others;
    if (!this.#isCompeting) return 0;
    if (hasLost) this.#competing.onLoss(now, roundTrip);
    return this.#competing.rate(now, terms);
  }

  /** True while frames of several datagrams are needed to tell whose queue it is. */
  get seeksFrames(): boolean {
    return this.#seeks;
  }
}
