import { expect, test } from 'vitest';
import { type Instant, seconds, ticks } from '../protocol/base/units.ts';
import { parseRtcp } from '../protocol/rtcp/rtcp.ts';
import { classifyDatagram } from '../protocol/rtp/multiplex.ts';
import { ntpFromInstant } from '../protocol/rtp/ntp.ts';
import { toMediaTime, toRtpTicks } from '../protocol/rtp/rtp-clock.ts';
import { parseRtpPacket } from '../protocol/rtp/rtp-packet.ts';
import type { Direction } from '../sim/direction.ts';
import { MEDIA_SSRC, runSession, START } from './simulated-session.ts';
import { TONE } from './tone-codec.ts';

const TIMESTAMP_BASE = 0x8000_0000;
const RATE = 48_000;
/** One tick of the stream's clock for each of the two roundings. */
const ROUNDING_TICKS = 2;

/** Sends 40 s at 50 frames a second; the wire timestamp wraps in between when `base` is near its end. */
function run(forward: string, parameters = {}) {
  const seen: { now: Instant; direction: Direction; datagram: Uint8Array }[] = [];
  const result = runSession({
    forward,
    stream: { codec: TONE, framesPerSecond: 50, frameBytes: 1_500, keyFrameBytes: 3_000, frames: 2_000 },
    parameters: { codec: TONE, ...parameters },
    onDatagram: (now, direction, datagram) => seen.push({ now, direction, datagram: datagram.slice() }),
  });
  const media = seen.flatMap(({ datagram }) => {
    const packet = classifyDatagram(datagram) === 'rtp' ? parseRtpPacket(datagram) : undefined;
    return packet?.ok && packet.value.ssrc === MEDIA_SSRC ? [packet.value] : [];
  });
  const reports = seen.flatMap(({ now, datagram }) => {
    const packets = classifyDatagram(datagram) === 'rtcp' ? parseRtcp(datagram) : undefined;
    return packets?.ok ? packets.value.map((packet) => ({ now, packet })) : [];
  });
  return { ...result, media, reports };
}

test('stamps a stream of 48 kHz with its own clock, and gives the same media times back', () => {
  const { sent, received, media } = run('loss=5% delay=20ms seed=3');
  const steps = new Set(media.map(({ timestamp }) => (timestamp - TIMESTAMP_BASE) % 960));
  expect([...steps]).toEqual([0]);
  expect(media.some(({ timestamp }) => timestamp - TIMESTAMP_BASE === 1_999 * 960)).toBe(true);
  expect(received.length).toBeGreaterThan(1_990);
  // The run has compared each received unit with the sent one of the same media time.
  const sentTimes = new Set(sent.map(({ timestamp }) => timestamp));
  expect(received.filter(({ timestamp }) => !sentTimes.has(timestamp))).toEqual([]);
});

test('follows timestamps of 48 kHz across the end of their 32 bits', () => {
  const { sent, received, media } = run('delay=20ms', { timestampBase: 2 ** 32 - 5 * RATE });
  expect(media.some(({ timestamp }) => timestamp < RATE)).toBe(true);
  expect(received.map(({ timestamp }) => timestamp)).toEqual(sent.map(({ timestamp }) => timestamp));
});

test('anchors sender reports at the clock of the stream', () => {
  const { reports } = run('delay=20ms');
  const senderReports = reports.flatMap(({ now, packet }) =>
    packet.kind === 'sender-report' ? [{ now, packet }] : [],
  );
  expect(senderReports.length).toBeGreaterThan(30);
  for (const { now, packet } of senderReports) {
    expect(packet.ntp).toEqual(ntpFromInstant(now));
    const expected = ((now - START) * RATE) / seconds(1);
    expect(Math.abs(packet.rtpTimestamp - TIMESTAMP_BASE - expected)).toBeLessThanOrEqual(ROUNDING_TICKS);
  }
});

test('reports jitter in ticks of the clock of the stream', () => {
  const { reports, receiver } = run('delay=20ms±8ms seed=5');
  const blocks = reports.flatMap(({ packet }) => (packet.kind === 'receiver-report' ? packet.reports : []));
  const { jitter } = receiver.statistics;
  expect(jitter).toBeGreaterThan(1_000);
  // The last report is older than the total, and jitter is a mean over some sixteen packets.
  const last = (blocks.at(-1)!.jitter * 1_000_000) / RATE;
  expect(last).toBeGreaterThan(jitter / 3);
  expect(last).toBeLessThan(jitter * 1.6);
});

test('keeps every timestamp of a slower clock through media time', () => {
  for (const rate of [8_000, 44_100, 48_000, 90_000]) {
    for (const timestamp of [0, 1, 7, 959, 65_537, 2 ** 31 - 1, 2 ** 40 + 3, -5]) {
      expect(toRtpTicks(toMediaTime(ticks(timestamp), rate), rate)).toBe(timestamp);
    }
  }
  expect(toMediaTime(ticks(12_345), 90_000)).toBe(12_345);
});
