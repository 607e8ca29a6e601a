import {
  elapsed,
  type Instant,
  type Microseconds,
  microseconds,
  milliseconds,
  timeFor,
} from '../../protocol/base/units.ts';
import type { Passage } from './capacity-meter.ts';

/** Datagrams that left within this time are of one frame. */
const TOGETHER: Microseconds = milliseconds(6);
/** A wait of this length, beyond the own transmission time, is not the resolution of the clocks (1/1024 s). */
const FOREIGN_MIN: Microseconds = milliseconds(5);
/** Least duration of a frame's passage from which a rate is computed: four times that resolution. */
const PASSAGE_MIN: Microseconds = milliseconds(4);
/** A frame that left later than this many intervals after the one before was held back. */
const HELD_INTERVALS = 1.2;
/** Weights of a frame, and shares of frames that waited above which others are presumed. */
const ALL_WEIGHT = 1 / 64;
const ALL_MIN = 0.25;
const HELD_WEIGHT = 1 / 4;
const HELD_MIN = 0.2;
/** Share below which nobody is presumed any more. */
const ALL_END = 0.15;
/** Frames whose rates are compared, and fewest of them. */
const RATES = 32;
const RATES_MIN = 8;
/**
 * Largest ratio of the 90th percentile of these rates to the 60th: 1.02 alone on a constant path, mostly 1.5 and more on
 * recorded LTE. Frames among those of others pass slowly, and mostly below the 60th percentile; once frames leave at
 * random phases, more of them do.
 */
const HIGH = 0.9;
const LOW = 0.6;
const STEADY_MAX = 1.3;
const STEADY_MAX_WHILE_SHARED = 2;

/** A datagram's passage with its departure from the sender. */
export interface SentPassage extends Passage {
  readonly sentAt: Instant;
}

/**
 * Tells whether others use the bottleneck, although no queue stands. A frame whose predecessors have all left the
 * bottleneck waits there for its own transmission alone, unless others are in front of it. A path whose capacity varies
 * makes frames wait as well; it also carries each of them at another rate, while on a shared link of constant capacity
 * most frames pass at the link's rate.
 */
export class BottleneckSharing {
  #sentAt: Instant | undefined;
  #frameAt: Instant | undefined;
  #leftAt: Microseconds = microseconds(Number.NEGATIVE_INFINITY);
  /** Passage of the current frame behind its first datagram. */
  #firstLeftAt: Microseconds = microseconds(0);
  #bytes = 0;
  #rates: number[] = [];
  #shareOfAll = 0;
  #shareOfHeld = 0;
  #isShared = false;

  /** True while others use the bottleneck. */
  get isShared(): boolean {
    return this.#isShared;
  }

  /**
   * Records passages in the order of departure.
   * @param capacity of the bottleneck, bytes per second; `undefined` while unknown.
   */
  onPassage(
    { sentAt, entersAt, leavesAt, bytes }: SentPassage,
    capacity: number | undefined,
    interval: Microseconds,
  ): void {
    const isFirst = this.#sentAt === undefined || elapsed(this.#sentAt, sentAt) > TOGETHER;
    this.#sentAt = sentAt;
    if (isFirst) {
      this.#endFrame();
      this.#firstLeftAt = leavesAt;
      const wasIdle = this.#leftAt <= entersAt;
      const own = capacity === undefined || capacity <= 0 ? Number.POSITIVE_INFINITY : timeFor(bytes, capacity);
      const waits = wasIdle && leavesAt - entersAt - own > FOREIGN_MIN ? 1 : 0;
      this.#shareOfAll += (waits - this.#shareOfAll) * ALL_WEIGHT;
      const isHeld = this.#frameAt !== undefined && elapsed(this.#frameAt, sentAt) > interval * HELD_INTERVALS;
      if (isHeld) this.#shareOfHeld += (waits - this.#shareOfHeld) * HELD_WEIGHT;
      this.#frameAt = sentAt;
      this.#decide();
    } else this.#bytes += bytes;
    this.#leftAt = microseconds(Math.max(this.#leftAt, leavesAt));
  }

  /** Forgets passages whose times are on a clock that was set since. */
  restart(): void {
    this.#leftAt = microseconds(Number.NEGATIVE_INFINITY);
    this.#bytes = 0;
  }

  #endFrame(): void {
    const passed = this.#leftAt - this.#firstLeftAt;
    if (this.#bytes > 0 && passed >= PASSAGE_MIN) {
      this.#rates.push(this.#bytes / passed);
      if (this.#rates.length > RATES) this.#rates.shift();
    }
    this.#bytes = 0;
  }

  #decide(): void {
    if (this.#isShared) {
      const varies = this.#rates.length >= RATES && this.#ratioAbove(LOW) > STEADY_MAX_WHILE_SHARED;
      this.#isShared = this.#shareOfAll > ALL_END && !varies;
      if (!this.#isShared) this.#shareOfHeld = 0;
      return;
    }
    this.#isShared = (this.#shareOfAll > ALL_MIN || this.#shareOfHeld > HELD_MIN) && this.isSteady;
    if (!this.#isShared) return;
    this.#shareOfAll = Math.max(this.#shareOfAll, ALL_MIN);
    // From now on, frames leave at other phases, and pass at other rates.
    this.#rates = [];
  }

  /** True when frames pass at the same rate, so that their waits are not those of a varying path. */
  get isSteady(): boolean {
    return this.#ratioAbove(LOW) <= STEADY_MAX;
  }

  /** 90th percentile of the rates relative to a lower one; ∞ while too few are known. */
  #ratioAbove(low: number): number {
    if (this.#rates.length < RATES_MIN) return Number.POSITIVE_INFINITY;
    const sorted = [...this.#rates].sort((one, other) => one - other);
    const rank = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))]!;
    return rank(HIGH) / rank(low);
  }
}
