/**
 * A point in time on its owner's monotonic clock, in whole microseconds. The epoch is the owner's; only differences
 * between instants of the same clock mean anything.
 */
export type Instant = number;

/** A span of time in whole microseconds; may be negative. */
export type Microseconds = number;

/** RTP clock ticks of the H.264 payload format (RFC 6184 §8.2.1: the rate is 90 kHz). */
export type Ticks = number;

/** The RTP clock rate of video, in ticks a second (RFC 6184 §8.2.1). */
export const CLOCK_RATE = 90_000;

/** Milliseconds as a span in microseconds. */
export const milliseconds = (n: number): Microseconds => Math.round(n * 1_000);
/** Seconds as a span in microseconds. */
export const seconds = (n: number): Microseconds => Math.round(n * 1_000_000);

export const ticksToMicroseconds = (ticks: Ticks): Microseconds => Math.round((ticks * 100) / 9);
export const microsecondsToTicks = (span: Microseconds): Ticks => Math.round((span * 9) / 100);
