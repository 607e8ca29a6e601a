import fc from 'fast-check';
import { expect, test } from 'vitest';
import { instant, microseconds, seconds } from '../../../protocol/base/units.ts';
import {
  compactNtp,
  compactNtpFromMicroseconds,
  compactNtpToMicroseconds,
  ntpFromInstant,
  roundTripFromEcho,
} from '../../../protocol/rtp/ntp.ts';

test('converts an instant to whole seconds and a binary fraction', () => {
  expect(ntpFromInstant(instant(0))).toEqual({ seconds: 0, fraction: 0 });
  expect(ntpFromInstant(instant(2_500_000))).toEqual({ seconds: 2, fraction: 0x8000_0000 });
  expect(ntpFromInstant(instant(7_250_000))).toEqual({ seconds: 7, fraction: 0x4000_0000 });
  expect(ntpFromInstant(instant(-250_000))).toEqual({ seconds: 0xffff_ffff, fraction: 0xc000_0000 });
});

test('the compact form is the middle 32 bits', () => {
  expect(compactNtp({ seconds: 0xaaaa_1234, fraction: 0x5678_bbbb })).toBe(0x1234_5678);
  expect(compactNtp({ seconds: 0xffff_ffff, fraction: 0xffff_ffff })).toBe(0xffff_ffff);
});

test('durations are rounded to 15 microseconds and clamped to their range', () => {
  expect(compactNtpFromMicroseconds(seconds(1))).toBe(65_536);
  expect(compactNtpToMicroseconds(65_536)).toBe(1_000_000);
  expect(compactNtpFromMicroseconds(microseconds(-5))).toBe(0);
  expect(compactNtpFromMicroseconds(microseconds(2 ** 40))).toBe(0xffff_ffff);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 60_000_000_000 }), (span) => {
      expect(
        Math.abs(compactNtpToMicroseconds(compactNtpFromMicroseconds(microseconds(span))) - span),
      ).toBeLessThanOrEqual(8);
    }),
  );
});

test('computes the round trip of RFC 3550 §6.4.1, figure 2', () => {
  // A = 0xb710:8000, LSR = 0xb705:2000, DLSR = 0x0005:4000, which makes 0x0006:2000: 6.125 s.
  const echo = { arrival: 0xb710_8000, lastReport: 0xb705_2000, delay: 0x0005_4000 };
  expect(roundTripFromEcho(echo)).toBe(6_125_000);
});

test('the round trip of an echo equals the time on the path, at any time of day', () => {
  const span = fc.integer({ min: 0, max: 3_600_000_000 });
  fc.assert(
    fc.property(fc.integer({ min: 1_000_000, max: 2 ** 48 }), span, span, (sentAt, way, delay) => {
      const lastReport = compactNtp(ntpFromInstant(instant(sentAt)));
      fc.pre(lastReport !== 0);
      const arrival = compactNtp(ntpFromInstant(instant(sentAt + way + delay)));
      const roundTrip = roundTripFromEcho({
        arrival,
        lastReport,
        delay: compactNtpFromMicroseconds(microseconds(delay)),
      });
      expect(Math.abs((roundTrip ?? Number.NaN) - way)).toBeLessThanOrEqual(32);
    }),
  );
});

test('gives no round trip without an echo or for one from the future', () => {
  expect(roundTripFromEcho({ arrival: 1_000, lastReport: 0, delay: 0 })).toBeUndefined();
  expect(roundTripFromEcho({ arrival: 1_000, lastReport: 1_100, delay: 0 })).toBeUndefined();
  expect(roundTripFromEcho({ arrival: 1_000, lastReport: 900, delay: 5_000 })).toBeUndefined();
  expect(roundTripFromEcho({ arrival: 1_000, lastReport: 900, delay: 101 })).toBe(0);
});
