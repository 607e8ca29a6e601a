import {
  type Instant,
  instant,
  later,
  type Microseconds,
  microseconds,
  milliseconds,
  SECOND,
  seconds,
  type Ticks,
  ticksToMicroseconds,
} from '../../protocol/base/units.ts';

/** How far back a receiver looks for the fastest transit. */
export const CLOCK_WINDOW = milliseconds(800);

export interface PlayoutClockOptions {
  /** Play-out delay above the fastest transit seen, microseconds. */
  readonly latency: Microseconds;
  /** How long after its deadline a frame is still of use to the decoder, microseconds; 0: no longer. */
  readonly mend: Microseconds;
  /** How far back the fastest transit is looked for, microseconds. */
  readonly window: Microseconds;
  /** Whether the clock moves on when everything comes too late; off where nothing is dropped, and lateness is told. */
  readonly followsStalls: boolean;
}

/**
 * How fast the clock follows the path, microseconds a second: a route that changes by 80 ms is followed within two
 * seconds (what is left of the old route in the window included), and a stream played 7 % fast or slow so long is not seen.
 */
const SLEW_PER_SECOND: Microseconds = milliseconds(70);
/** A packet that comes so much earlier than any of late has a damaged timestamp, unless the next one does so too. */
const OUTLIER_MIN: Microseconds = milliseconds(500);
/** While the first fastest packet is still being looked for, the clock steps down rather than slews. */
const SETTLING: Microseconds = seconds(1);
const SLOTS = 8;

/**
 * The one owner of both deadlines: turns media time into the instant by which a frame must be released to be shown in its
 * time, and into the one until which it is still of use to the decoder.
 *
 * The base is the smallest `arrival − media time` in a sliding window: queueing only ever adds, so the minimum is the
 * path without queues, and a drifting or jumping clock moves it. The base follows that minimum by a slow slew.
 */
export class PlayoutClock {
  readonly #options: PlayoutClockOptions;
  readonly #slotLength: Microseconds;
  /** Smallest transit in each of the last slots of the window. */
  readonly #minima: number[] = new Array(SLOTS).fill(Number.POSITIVE_INFINITY);
  #slot = 0;
  #slotEndsAt: Instant = instant(0);
  #base: Microseconds | undefined;
  #startedAt: Instant = instant(0);
  #slewedAt: Instant = instant(0);
  #outlier: Microseconds | undefined;

  constructor(options: PlayoutClockOptions) {
    this.#options = options;
    this.#slotLength = microseconds(options.window / SLOTS);
  }

  get started(): boolean {
    return this.#base !== undefined;
  }

  get latency(): Microseconds {
    return this.#options.latency;
  }

  /** How long after its deadline a frame is still of use to the decoder. */
  get mend(): Microseconds {
    return this.#options.mend;
  }

  /** Takes the arrival of a packet that was sent once, at media (decode) time `mediaTime`. */
  observe(now: Instant, mediaTime: Ticks): void {
    const transit = transitOf(now, mediaTime);
    if (this.#base === undefined) {
      this.#base = transit;
      this.#startedAt = now;
      this.#slewedAt = now;
      this.#slotEndsAt = later(now, this.#slotLength);
    }
    if (this.#isOutlier(transit)) return;
    this.#advance(now);
    if (transit < this.#minima[this.#slot]!) this.#minima[this.#slot] = transit;
    if (transit < this.#base && now - this.#startedAt < SETTLING) this.#base = transit;
    this.#slew(now);
  }

  #isOutlier(transit: Microseconds): boolean {
    const early = transit < this.#base! - OUTLIER_MIN;
    const confirmed = this.#outlier !== undefined && Math.abs(transit - this.#outlier) < OUTLIER_MIN;
    this.#outlier = early ? transit : undefined;
    return early && !confirmed;
  }

  /** Media time is reckoned anew: what was measured before says nothing about it. */
  restart(): void {
    this.#base = undefined;
    this.#minima.fill(Number.POSITIVE_INFINITY);
  }

  /** When a frame of that media time would have been here on the fastest path seen. */
  expected(mediaTime: Ticks): Instant {
    return instant(ticksToMicroseconds(mediaTime) + (this.#base ?? 0));
  }

  /** By when a frame of that media time must be released to be shown in its time. */
  deadline(mediaTime: Ticks): Instant {
    return later(this.expected(mediaTime), this.#options.latency);
  }

  /** By when a frame with that deadline must be whole, so that the frames that refer to it are decoded. */
  referenceDeadline(deadline: Instant): Instant {
    return later(deadline, this.#options.mend);
  }

  #advance(now: Instant): void {
    if (now - this.#slotEndsAt > this.#options.window) {
      // Nothing came for a whole window; what was measured before it says nothing about now.
      this.#minima.fill(Number.POSITIVE_INFINITY);
      this.#slotEndsAt = later(now, this.#slotLength);
      return;
    }
    if (now >= this.#slotEndsAt && this.#options.followsStalls) this.#followStall();
    while (now >= this.#slotEndsAt) {
      this.#slot = (this.#slot + 1) % SLOTS;
      this.#minima[this.#slot] = Number.POSITIVE_INFINITY;
      this.#slotEndsAt = later(this.#slotEndsAt, this.#slotLength);
    }
  }

  /**
   * Whatever came in the window came too late to be played: the sender or the path stood still, and media time goes on
   * that much later. To slew after it would be to drop everything until the clock has come round.
   */
  #followStall(): void {
    const fastest = this.#fastest();
    if (!Number.isFinite(fastest) || fastest <= this.#base! + this.#options.latency) return;
    this.#base = fastest;
    this.#startedAt = this.#slotEndsAt;
  }

  #fastest(): Microseconds {
    let fastest = microseconds(Number.POSITIVE_INFINITY);
    for (const minimum of this.#minima) if (minimum < fastest) fastest = microseconds(minimum);
    return fastest;
  }

  #slew(now: Instant): void {
    const step = ((now - this.#slewedAt) * SLEW_PER_SECOND) / SECOND;
    // A frame's packets come in a bunch; slewing at each of them would round the step to nothing.
    if (step < 50) return;
    this.#slewedAt = now;
    const target = this.#fastest();
    if (!Number.isFinite(target)) return;
    const base = this.#base!;
    this.#base = microseconds(Math.round(base + Math.max(-step, Math.min(step, target - base))));
  }
}

/** How long a packet of this media time was on its way, but for a constant: the two clocks have epochs of their own. */
export const transitOf = (now: Instant, mediaTime: Ticks): Microseconds =>
  microseconds(now - ticksToMicroseconds(mediaTime));
