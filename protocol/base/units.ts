/**
 * Units that the compiler tells apart. Each is a plain number at run time; the brand exists for the compiler alone, so
 * milliseconds cannot stand where microseconds are meant, nor the time of day where an instant is.
 *
 * Arithmetic on branded numbers gives a plain number. Keep it plain inside a computation, and brand the result once with
 * the function of this file that names its unit. No cast to a unit of time stands anywhere else.
 */

declare const unit: unique symbol;

/** A number of one unit. */
export type Unit<Name extends string> = number & { readonly [unit]: Name };

/** A number without a unit. Functions that brand take no other, so that they cannot swap one unit for another. */
export type Plain = number & { readonly [unit]?: never };

/**
 * A point in time on its owner's monotonic clock, in whole microseconds. The epoch is the owner's; only differences
 * between instants of the same clock mean anything.
 */
export type Instant = Unit<'instant'>;

/** A span of time in whole microseconds; may be negative. */
export type Microseconds = Unit<'microseconds'>;

/** A span of time in milliseconds, whole or not: what people write and read. */
export type Milliseconds = Unit<'milliseconds'>;

/** RTP clock ticks of the H.264 payload format (RFC 6184 §8.2.1: the rate is 90 kHz). */
export type Ticks = Unit<'ticks'>;

/** The RTP clock rate of video, in ticks a second (RFC 6184 §8.2.1). */
export const CLOCK_RATE = 90_000;

/** Brands a reading of a monotonic clock in microseconds, or the instant this long after the clock's epoch. */
export const instant = (sinceEpoch: Plain | Microseconds | Instant): Instant => sinceEpoch as number as Instant;
/** Brands a number of microseconds. */
export const microseconds = (n: Plain | Microseconds): Microseconds => n as Microseconds;
/** Milliseconds as a span in microseconds. */
export const milliseconds = (n: Plain | Milliseconds): Microseconds => Math.round(n * 1_000) as Microseconds;
/** Seconds as a span in microseconds. */
export const seconds = (n: Plain): Microseconds => Math.round(n * 1_000_000) as Microseconds;
export const MILLISECOND = milliseconds(1);
export const SECOND = seconds(1);
/** Brands a number of clock ticks. */
export const ticks = (n: Plain | Ticks): Ticks => n as Ticks;

/** The time from the clock's epoch to an instant. */
export const sinceEpoch = (at: Instant): Microseconds => at as number as Microseconds;

/** Later than any other instant. */
export const NEVER = instant(Number.POSITIVE_INFINITY);

/** The instant a span after another. */
export const later = (from: Instant, span: Microseconds): Instant => (from + span) as Instant;
/** The instant a span before another. */
export const earlier = (from: Instant, span: Microseconds): Instant => (from - span) as Instant;
/** The span from one instant to another; negative when `to` is before `from`. */
export const elapsed = (from: Instant, to: Instant): Microseconds => (to - from) as Microseconds;
/** The first of two instants. */
export const earliest = (a: Instant, b: Instant): Instant => Math.min(a, b) as Instant;
/** The last of two instants. */
export const latest = (a: Instant, b: Instant): Instant => Math.max(a, b) as Instant;

/** A span in milliseconds, unrounded. */
export const inMilliseconds = (span: Microseconds | Instant): Milliseconds => (span / 1_000) as Milliseconds;
/** A span in milliseconds, rounded to two decimals: for people and pages. */
export const toMilliseconds = (span: Microseconds | Instant): Milliseconds =>
  (Math.round(span / 10) / 100) as Milliseconds;
/** A span in milliseconds, rounded down: the ticks of a clock of milliseconds, such as TCP's timestamps. */
export const wholeMilliseconds = (span: Microseconds | Instant): number => Math.floor(span / 1_000);
/** A span in seconds, unrounded. */
export const inSeconds = (span: Microseconds | Instant): number => span / 1_000_000;

/** Bytes or anything else a second, from an amount and the span that it took. */
export const perSecond = (amount: number, span: Microseconds): number => (amount * 1_000_000) / span;
/** How much passes in a span at a rate, by the second. */
export const amountIn = (span: Microseconds, rate: number): number => (rate * span) / 1_000_000;
/** How long an amount takes at a rate, by the second. */
export const timeFor = (amount: number, rate: number): Microseconds => ((amount * 1_000_000) / rate) as Microseconds;

export const ticksToMicroseconds = (span: Ticks): Microseconds => Math.round((span * 100) / 9) as Microseconds;
export const microsecondsToTicks = (span: Microseconds): Ticks => Math.round((span * 9) / 100) as Ticks;
