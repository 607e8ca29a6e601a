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

/** Window in which the fastest transit is measured. */
export const CLOCK_WINDOW = milliseconds(800);

export interface PlayoutClockOptions {
  /** Play-out delay above the fastest observed transit, microseconds. */
  readonly latency: Microseconds;
  /** Time after its deadline for which a frame is still useful to the decoder, microseconds; 0 when it is not. */
  readonly mend: Microseconds;
  /** Window in which the fastest transit is measured, microseconds. */
  readonly window: Microseconds;
  /**
   * True when the clock moves forward after a stall; false for transports that drop nothing, where lateness is
   * reported.
   */
  readonly followsStalls: boolean;
}

/**
 * Slew rate of the clock, microseconds per second: a route change of 80 ms is followed within two seconds, including
 * what the window retains of the old route, and playing 7 % faster or slower for that long is not noticeable.
 */
const SLEW_PER_SECOND: Microseconds = milliseconds(70);
/** A packet earlier than recent ones by this much has a damaged timestamp, unless the next packet agrees. */
const OUTLIER_MIN: Microseconds = milliseconds(500);
/** Time after the start in which the clock steps down instead of slewing, while it looks for the fastest packet. */
const SETTLING: Microseconds = seconds(1);
const SLOTS = 8;

/**
 * Source of both deadlines: converts media time to the time by which a frame must be released to be shown, and to the
 * time until which it is still useful to the decoder.
 *
 * The base is the minimum of `arrival − media time` over a sliding window. Queueing only adds delay, so the minimum is
 * the path without queues; clock drift and clock steps move it. The base slews slowly towards that minimum.
 */
export class PlayoutClock {
  readonly #options: PlayoutClockOptions;
  readonly #slotLength: Microseconds;
  /** Minimum transit of each of the last slots of the window. */
  readonly #minima: number[] = new Array(SLOTS).fill(Number.POSITIVE_INFINITY);
  #slot = 0;
  #slotEndsAt: Instant = instant(0);
  #base: Microseconds | undefined;
  #startedAt: Instant = instant(0);
  #slewedAt: Instant = instant(0);
  #outlier: Microseconds | undefined;
  /** Base before a stall moved the clock; `undefined` once the path is as fast again. */
  #beforeStall: Microseconds | undefined;

  constructor(options: PlayoutClockOptions) {
    this.#options = options;
    this.#slotLength = microseconds(options.window / SLOTS);
  }

  get started(): boolean {
    return this.#base !== undefined;
  }

  /** Transit from which deadlines are counted, up to a constant; `undefined` before the first packet. */
  get base(): Microseconds | undefined {
    return this.#base;
  }

  get latency(): Microseconds {
    return this.#options.latency;
  }

  /** Time after its deadline for which a frame is still useful to the decoder. */
  get mend(): Microseconds {
    return this.#options.mend;
  }

  /** Records the arrival of a packet sent once, with media (decode) time `mediaTime`. */
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
    if (transit < this.#base && (now - this.#startedAt < SETTLING || this.#beforeStall !== undefined))
      this.#stepTo(transit);
    this.#slew(now);
  }

  /** Shortens the delay at once, as that of a stall ends with the stall: slewing would keep a second of it for 14 s. */
  #stepTo(transit: Microseconds): void {
    this.#base = transit;
    if (this.#beforeStall !== undefined && transit <= this.#beforeStall) this.#beforeStall = undefined;
  }

  #isOutlier(transit: Microseconds): boolean {
    const early = transit < this.#base! - OUTLIER_MIN;
    const confirmed = this.#outlier !== undefined && Math.abs(transit - this.#outlier) < OUTLIER_MIN;
    this.#outlier = early ? transit : undefined;
    return early && !confirmed;
  }

  /** Restarts the measurement, after a change in the estimate of media times. */
  restart(): void {
    this.#base = undefined;
    this.#beforeStall = undefined;
    this.#minima.fill(Number.POSITIVE_INFINITY);
  }

  /** Expected arrival of a frame with this media time on the fastest observed path. */
  expected(mediaTime: Ticks): Instant {
    return instant(ticksToMicroseconds(mediaTime) + (this.#base ?? 0));
  }

  /** Time by which a frame with this media time must be released to be shown. */
  deadline(mediaTime: Ticks): Instant {
    return later(this.expected(mediaTime), this.#options.latency);
  }

  /** Time by which a frame with this deadline must be complete for the frames that refer to it to be decoded. */
  referenceDeadline(deadline: Instant): Instant {
    return later(deadline, this.#options.mend);
  }

  #advance(now: Instant): void {
    if (now - this.#slotEndsAt > this.#options.window) {
      // Nothing arrived for a whole window, so older measurements are obsolete.
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
   * Moves media time forward after a stall. When every packet in the window arrived too late to be played, the sender
   * or the path has stalled. Slewing would drop all frames until the clock has caught up.
   */
  #followStall(): void {
    const fastest = this.#fastest();
    if (!Number.isFinite(fastest) || fastest <= this.#base! + this.#options.latency) return;
    this.#beforeStall ??= this.#base;
    this.#base = fastest;
    this.#startedAt = this.#slotEndsAt;
  }

  #fastest(): Microseconds {
    let fastest = microseconds(Number.POSITIVE_INFINITY);
    for (const minimum of this.#minima) if (minimum < fastest) fastest = microseconds(minimum);
    return fastest;
  }

  #slew(now: Instant): void {
    // A gap between arrivals is no time in which the path was measured.
    const measuredFor = Math.min(now - this.#slewedAt, this.#slotLength);
    const step = (measuredFor * SLEW_PER_SECOND) / SECOND;
    // The packets of a frame arrive together; slewing at each of them would round the step to 0.
    if (step < 50) return;
    this.#slewedAt = now;
    const target = this.#fastest();
    if (!Number.isFinite(target)) return;
    const base = this.#base!;
    this.#base = microseconds(Math.round(base + Math.max(-step, Math.min(step, target - base))));
  }
}

/** Transit time of a packet with this media time, up to a constant: the two clocks have different epochs. */
export const transitOf = (now: Instant, mediaTime: Ticks): Microseconds =>
  microseconds(now - ticksToMicroseconds(mediaTime));
