import { type Instant, type Microseconds, microseconds, SECOND } from '../base/units.ts';

/**
 * A 64-bit NTP timestamp (RFC 3550 §4). Only differences between timestamps of the same clock are meaningful: seconds
 * count from the owner's epoch, as RFC 3550 §6.4.1 allows for a host without wall-clock time.
 */
export interface NtpTimestamp {
  /** Seconds modulo 2^32. */
  readonly seconds: number;
  /** In 2^-32 s: 0…2^32-1. */
  readonly fraction: number;
}

/**
 * The middle 32 bits of an NTP timestamp, or a duration in the same unit (RFC 3550 §4, §6.4.1): 1/65536 s, 0…2^32-1. A
 * timestamp wraps every 18.2 hours.
 */
export type CompactNtp = number;

export function ntpFromInstant(now: Instant): NtpTimestamp {
  const seconds = Math.floor(now / SECOND);
  const fraction = Math.floor(((now - seconds * SECOND) * 2 ** 32) / SECOND);
  return { seconds: seconds >>> 0, fraction };
}

export const compactNtp = (ntp: NtpTimestamp): CompactNtp =>
  (((ntp.seconds & 0xffff) << 16) | (ntp.fraction >>> 16)) >>> 0;

/** A duration in the unit of "delay since last SR", clamped to 0…18.2 h. */
export const compactNtpFromMicroseconds = (span: Microseconds): CompactNtp =>
  Math.min(Math.max(Math.round((span * 65_536) / SECOND), 0), 0xffff_ffff);

export const compactNtpToMicroseconds = (span: CompactNtp): Microseconds =>
  microseconds(Math.round((span * SECOND) / 65_536));

/**
 * Round-trip time from an echoed report (RFC 3550 §6.4.1, figure 2; likewise RFC 3611 §4.5): arrival time minus last
 * report minus the delay at the peer. A rounding error below 0 counts as 0. `undefined` when the peer had no report to
 * echo, or when the result is negative or above nine hours.
 */
export function roundTripFromEcho(echo: {
  readonly arrival: CompactNtp;
  readonly lastReport: CompactNtp;
  readonly delay: CompactNtp;
}): Microseconds | undefined {
  if (echo.lastReport === 0) return undefined;
  const units = (echo.arrival - echo.lastReport - echo.delay) | 0;
  if (units < -ECHO_ROUNDING_MAX) return undefined;
  return compactNtpToMicroseconds(Math.max(units, 0));
}

/** Largest negative round trip that rounding can produce: both timestamps and the delay are rounded to the unit. */
const ECHO_ROUNDING_MAX = 2;
