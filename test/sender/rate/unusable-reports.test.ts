import { describe, expect, test } from 'vitest';
import { readUint32, writeUint32 } from '../../../protocol/base/big-endian.ts';
import { milliseconds } from '../../../protocol/base/units.ts';
import { classifyDatagram } from '../../../protocol/rtp/multiplex.ts';
import { ADAPTIVE_RATE_DEFAULTS, AdaptiveRate } from '../../../sender/rate/adaptive-rate.ts';
import { runSession } from '../../simulated-session.ts';

/** Congestion control feedback: payload type and format (RFC 8888 §3.1). */
const [FEEDBACK_TYPE, FEEDBACK_FORMAT] = [205, 11];
/** Place of the SSRC of the first stream, and of the first report on a packet. */
const [STREAM_AT, REPORTS_AT] = [8, 16];
/** An hour in units of the report timestamp, 1/65536 s. */
const HOUR = 3_600 * 65_536;

/** Lets a function change the reports on single packets in a compound RTCP packet, in place. */
function changeReports(datagram: Uint8Array, change: (report: Uint8Array) => void): void {
  for (let at = 0; at + 4 <= datagram.length; ) {
    const end = at + 4 + 4 * ((datagram[at + 2]! << 8) | datagram[at + 3]!);
    const packet = datagram.subarray(at, end);
    if (packet[1] === FEEDBACK_TYPE && (packet[0]! & 0x1f) === FEEDBACK_FORMAT) change(packet);
    at = end;
  }
}

/** Adds to the report timestamp. */
function shiftClock(report: Uint8Array, shift: number): void {
  const at = report.length - 4;
  writeUint32(report, at, (readUint32(report, at) + shift) >>> 0);
}

/** 40 s of 0.5 Mb/s over 2 Mb/s; from 10 to 30 s, reports are changed. */
function run(change: (report: Uint8Array, seconds: number) => void) {
  const rate = new AdaptiveRate(milliseconds(150));
  const events: string[] = [];
  const targets: number[] = [];
  const { sender, receiver } = runSession({
    forward: 'rate=2mbit delay=20ms queue=300ms',
    back: 'delay=20ms',
    latencyMs: 150,
    stream: { frames: 1_200, frameBytes: 2_000, keyFrameBytes: 2_000 },
    parameters: { recovery: 'nack' },
    sender: { rate: () => rate },
    onDatagram: (now, direction, datagram) => {
      const at = now / 1e6;
      if (at < 10 || at > 30 || direction !== 'back' || classifyDatagram(datagram) !== 'rtcp') return;
      changeReports(datagram, (report) => change(report, at));
    },
    onSenderEvent: (now, event) => {
      if (event.kind === 'reports') events.push(`${Math.floor(now / 1e6)} ${event.change}`);
    },
    eachSecond: () => targets.push(rate.target),
  });
  return { events, targets, sender: sender.statistics, receiver: receiver.statistics };
}

describe('reports on single packets', () => {
  test.each<readonly [string, (report: Uint8Array) => void]>([
    ['on another stream', (report) => writeUint32(report, STREAM_AT, 1)],
    ['that call everything lost', (report) => report.fill(0, REPORTS_AT, report.length - 4)],
    ['on packets that were never sent', (report) => report.set([report[12]! ^ 0x80, 0], 12)],
    ['without arrival times', (report) => report.fill(0xff, REPORTS_AT, report.length - 4)],
  ])('%s let the rate fall to its minimum, which is announced', (_, change) => {
    const { events, targets, receiver } = run(change);
    expect(events).toEqual([expect.stringMatching(/^1[4-6] missing$/), '30 back']);
    expect(Math.min(...targets.slice(16, 29))).toBe(ADAPTIVE_RATE_DEFAULTS.rateMin);
    expect(Math.max(...targets.slice(16, 29))).toBe(ADAPTIVE_RATE_DEFAULTS.rateMin);
    expect(targets[33]).toBeGreaterThan(60_000);
    expect(receiver.frames.onTime).toBeGreaterThan(1_190);
  });

  test('from a clock that leaps by an hour, and back, are followed', () => {
    const { events, targets } = run((report, at) => shiftClock(report, at < 20 ? HOUR : -HOUR));
    expect(events).toEqual([]);
    for (const second of [14, 24, 34]) expect(targets[second]).toBeGreaterThan(60_000);
  });

  test('are followed across the wrap of their clock', () => {
    let shift: number | undefined;
    const { events, targets } = run((report, at) => {
      // At 20 s, its 32 bits wrap.
      shift ??= 2 ** 32 - readUint32(report, report.length - 4) - (20 - at) * 65_536;
      shiftClock(report, Math.round(shift));
    });
    expect(events).toEqual([]);
    expect(Math.min(...targets.slice(14, 29))).toBeGreaterThan(60_000);
  });
});

test('a scene that takes a few kilobits per second is not taken for a path that has failed', () => {
  const rate = new AdaptiveRate(milliseconds(150));
  const targets: number[] = [];
  const { sender, receiver } = runSession({
    forward: 'rate=2mbit delay=20ms queue=300ms',
    back: 'delay=20ms',
    latencyMs: 150,
    stream: { frames: 1_800, frameBytes: 33, keyFrameBytes: 400, keyInterval: 1_800 },
    parameters: { recovery: 'nack' },
    sender: { rate: () => rate },
    eachSecond: () => targets.push(rate.target),
  });
  expect(receiver.statistics.frames.onTime).toBe(1_800);
  expect(sender.statistics.packets).toBeLessThan(1_900);
  // It rises with the reports, as nothing bounds it.
  expect(Math.min(...targets.slice(2))).toBeGreaterThan(ADAPTIVE_RATE_DEFAULTS.startRate);
});
