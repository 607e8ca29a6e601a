import { type Instant, type Microseconds, microseconds, SECOND } from '../base/units.ts';

/**
 * A 64-bit NTP timestamp (RFC 3550 §4). Only differences between timestamps of the same clock mean anything here:
 * seconds count from the owner's epoch, as RFC 3550 §6.4.1 allows a host that does not know the time of day.
 */
export interface NtpTimestamp {
  /** 0…2^32-1, then 0 again. */
  readonly seconds: number;
  /** In 2^-32 s: 0…2^32-1. */
  readonly fraction: number;
}

/**
 * The middle 32 bits of an NTP timestamp, or a span in the same unit (RFC 3550 §4, §6.4.1): 1/65536 s, 0…2^32-1.
 * As a timestamp it rolls over every 18.2 hours.
 */
export type CompactNtp = number;

export function ntpFromInstant(now: Instant): NtpTimestamp {
  const seconds = Math.floor(now / SECOND);
  const fraction = Math.floor(((now - seconds * SECOND) * 2 ** 32) / SECOND);
  return { seconds: seconds >>> 0, fraction };
}

export const compactNtp = (ntp: NtpTimestamp): CompactNtp =>
  (((ntp.seconds & 0xffff) << 16) | (ntp.fraction >>> 16)) >>> 0;

/** A span of time, as "delay since last report" counts it. Negative spans are 0, too long ones the longest: 18.2 h. */
export const compactNtpFromMicroseconds = (span: Microseconds): CompactNtp =>
  Math.min(Math.max(Math.round((span * 65_536) / SECOND), 0), 0xffff_ffff);

export const compactNtpToMicroseconds = (span: CompactNtp): Microseconds =>
  microseconds(Math.round((span * SECOND) / 65_536));

/**
 * Round-trip time from an echoed report (RFC 3550 §6.4.1, figure 2; the same for RFC 3611 §4.5): arrival minus last
 * report minus the delay at the other side. `undefined` when the peer had no report to echo, or when its numbers
 * cannot be: less than nothing, or more than nine hours. A rounding error below 0 counts as 0.
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

/** Both stamps and the delay are rounded to the unit, so an echo over no distance can come out this far below 0. */
const ECHO_ROUNDING_MAX = 2;
