/**
 * Branded units. A value is a plain number at run time; the brand lets the compiler reject milliseconds in place of
 * microseconds, or the time of day in place of an instant.
 *
 * Arithmetic on branded numbers gives a plain number. Keep it plain within a computation, and brand the result once
 * with the function of this file that names its unit. There are no casts to units of time outside this file.
 */

declare const unit: unique symbol;

/** A number with a unit. */
export type Unit<Name extends string> = number & { readonly [unit]: Name };

/** A number without a unit. Branding functions accept no other, so that they cannot change one unit into another. */
export type Plain = number & { readonly [unit]?: never };

/**
 * A point in time on its owner's monotonic clock, in whole microseconds. The epoch is the owner's; only differences
 * between instants of the same clock are meaningful.
 */
export type Instant = Unit<'instant'>;

/** A duration in whole microseconds; may be negative. */
export type Microseconds = Unit<'microseconds'>;

/** A duration in milliseconds, possibly fractional: the unit for users. */
export type Milliseconds = Unit<'milliseconds'>;

/** RTP clock ticks of video payload formats, 90 kHz (RFC 6184 §8.2.1). */
export type Ticks = Unit<'ticks'>;

/** RTP clock rate of video, ticks per second (RFC 6184 §8.2.1). */
export const CLOCK_RATE = 90_000;

/** Brands a reading of a monotonic clock in microseconds, or a duration since the clock's epoch. */
export const instant = (sinceEpoch: Plain | Microseconds | Instant): Instant => sinceEpoch as number as Instant;
/** Brands a number of microseconds. */
export const microseconds = (n: Plain | Microseconds): Microseconds => n as Microseconds;
/** Converts milliseconds to microseconds. */
export const milliseconds = (n: Plain | Milliseconds): Microseconds => Math.round(n * 1_000) as Microseconds;
/** Converts seconds to microseconds. */
export const seconds = (n: Plain): Microseconds => Math.round(n * 1_000_000) as Microseconds;
export const MILLISECOND = milliseconds(1);
export const SECOND = seconds(1);
/** Brands a number of clock ticks. */
export const ticks = (n: Plain | Ticks): Ticks => n as Ticks;

/** Duration from the clock's epoch to an instant. */
export const sinceEpoch = (at: Instant): Microseconds => at as number as Microseconds;

/** Later than any other instant. */
export const NEVER = instant(Number.POSITIVE_INFINITY);

/** Returns an instant moved forward by a duration. */
export const later = (from: Instant, span: Microseconds): Instant => (from + span) as Instant;
/** Returns an instant moved back by a duration. */
export const earlier = (from: Instant, span: Microseconds): Instant => (from - span) as Instant;
/** Duration from one instant to another; negative when `to` is before `from`. */
export const elapsed = (from: Instant, to: Instant): Microseconds => (to - from) as Microseconds;
/** Returns the earlier of two instants. */
export const earliest = (a: Instant, b: Instant): Instant => Math.min(a, b) as Instant;
/** Returns the earlier of two instants of which either may be unset. */
export const earliestOf = (a: Instant | undefined, b: Instant | undefined): Instant | undefined =>
  a === undefined ? b : b === undefined ? a : earliest(a, b);
/** Returns the later of two instants. */
export const latest = (a: Instant, b: Instant): Instant => Math.max(a, b) as Instant;

/** Converts to milliseconds, unrounded. */
export const inMilliseconds = (span: Microseconds | Instant): Milliseconds => (span / 1_000) as Milliseconds;
/** Converts to milliseconds with two decimals, for display. */
export const toMilliseconds = (span: Microseconds | Instant): Milliseconds =>
  (Math.round(span / 10) / 100) as Milliseconds;
/** Converts to milliseconds, rounded down, as for the ticks of a millisecond clock such as TCP's timestamps. */
export const wholeMilliseconds = (span: Microseconds | Instant): number => Math.floor(span / 1_000);
/** Converts to seconds, unrounded. */
export const inSeconds = (span: Microseconds | Instant): number => span / 1_000_000;

/** Rate per second from an amount and its duration. */
export const perSecond = (amount: number, span: Microseconds): number => (amount * 1_000_000) / span;
/** Amount in a duration at a rate per second. */
export const amountIn = (span: Microseconds, rate: number): number => (rate * span) / 1_000_000;
/** Duration of an amount at a rate per second. */
export const timeFor = (amount: number, rate: number): Microseconds => ((amount * 1_000_000) / rate) as Microseconds;

/** Converts clock ticks of 90 kHz to microseconds. */
export const ticksToMicroseconds = (span: Ticks): Microseconds => Math.round((span * 100) / 9) as Microseconds;
/** Converts microseconds to clock ticks of 90 kHz. */
export const microsecondsToTicks = (span: Microseconds): Ticks => Math.round((span * 9) / 100) as Ticks;
