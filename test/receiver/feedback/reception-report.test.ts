import { expect, test } from 'vitest';
import { type Instant, instant, milliseconds, seconds, ticks } from '../../../protocol/base/units.ts';
import { asSequence } from '../../../protocol/rtp/sequence.ts';
import { ReceptionReport } from '../../../receiver/feedback/reception-report.ts';

const at = (ms: number): Instant => instant(milliseconds(ms));
const SSRC = 77;

test('reports zeros before the first packet', () => {
  expect(new ReceptionReport().block(instant(0), SSRC)).toEqual({
    ssrc: SSRC,
    fractionLost: 0,
    cumulativeLost: 0,
    highestSequence: 0,
    jitter: 0,
    lastSenderReport: 0,
    delaySinceLastSenderReport: 0,
  });
});

test('the fraction lost covers the interval since the last report, the cumulative loss the whole stream', () => {
  const report = new ReceptionReport();
  for (const sequence of [65_530, 65_531, 65_534, 65_537]) report.onPacket(instant(0), asSequence(sequence), ticks(0));
  // Eight expected, four received; RFC 3550 §A.3 counts in 1/256.
  expect(report.block(instant(0), SSRC)).toMatchObject({
    fractionLost: 128,
    cumulativeLost: 4,
    highestSequence: 65_537,
  });
  for (const sequence of [65_538, 65_539]) report.onPacket(instant(0), asSequence(sequence), ticks(0));
  expect(report.block(instant(0), SSRC)).toMatchObject({ fractionLost: 0, cumulativeLost: 4, highestSequence: 65_539 });
  for (const sequence of [65_543]) report.onPacket(instant(0), asSequence(sequence), ticks(0));
  expect(report.block(instant(0), SSRC)).toMatchObject({ fractionLost: 192, cumulativeLost: 7 });
});

test('duplicates make the cumulative loss negative, and leave the fraction at 0', () => {
  const report = new ReceptionReport();
  for (const sequence of [1, 2, 2, 2]) report.onPacket(instant(0), asSequence(sequence), ticks(0));
  expect(report.block(instant(0), SSRC)).toMatchObject({ fractionLost: 0, cumulativeLost: -2 });
});

test('jitter is 0 for packets spaced like their timestamps; otherwise it grows by a sixteenth of the difference', () => {
  const report = new ReceptionReport();
  report.onPacket(at(0), asSequence(1), ticks(0));
  report.onPacket(at(40), asSequence(2), ticks(3_600));
  expect(report.jitter).toBe(0);
  // 16 ms late: 1,440 ticks.
  report.onPacket(at(96), asSequence(3), ticks(7_200));
  expect(report.jitter).toBe(90);
});

test('echoes a sender report with the delay since its arrival', () => {
  const report = new ReceptionReport();
  report.onSenderReport(instant(seconds(5)), { seconds: 0x12_3456, fraction: 0x789a_bcde });
  expect(report.block(instant(seconds(5.5)), SSRC)).toMatchObject({
    lastSenderReport: 0x3456_789a,
    delaySinceLastSenderReport: 0x8000,
  });
});
