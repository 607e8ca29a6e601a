import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { microseconds, milliseconds, seconds } from '../../../protocol/base/units.ts';
import {
  type CongestionControlFeedback,
  ECN,
  NOT_RECEIVED,
  packetMetricBlock,
  reportedArrival,
} from '../../../protocol/rtcp/congestion-control-feedback.ts';
import { parseRtcp, serializeRtcp } from '../../../protocol/rtcp/rtcp.ts';
import { wireSequence } from '../../../protocol/rtp/sequence.ts';

const GOLDEN = [
  ...[0x8b, 205, 0, 8], // feedback message type 11, transport feedback, eight words follow
  ...[0x0b, 0xad, 0xca, 0xfe], // SSRC of the receiver
  ...[0, 0, 0, 1], // SSRC of the first stream
  ...[0xff, 0xff, 0, 3], // packets 65,535, 0 and 1
  ...[0x84, 0x00, 0x00, 0x00], // received a second ago, not ECN-capable; not received
  ...[0xe0, 0x01, 0x00, 0x00], // received 1/1024 s ago, congestion experienced; padding
  ...[0, 0, 0, 2], // SSRC of the second stream
  ...[0, 7, 0, 0], // no packets
  ...[0x00, 0x01, 0x80, 0x00], // report timestamp 1.5 s
];

const FEEDBACK: CongestionControlFeedback = {
  kind: 'congestion-control-feedback',
  senderSsrc: 0x0badcafe,
  streams: [
    {
      ssrc: 1,
      beginSequence: wireSequence(65_535),
      reports: Uint16Array.of(
        packetMetricBlock({ before: seconds(1), ecn: ECN.notCapable }),
        NOT_RECEIVED,
        packetMetricBlock({ before: milliseconds(1), ecn: ECN.congestionExperienced }),
      ),
    },
    { ssrc: 2, beginSequence: wireSequence(7), reports: new Uint16Array(0) },
  ],
  reportTimestamp: 0x0001_8000,
};

const parseOne = (bytes: readonly number[]) => {
  const packets = parseRtcp(Uint8Array.from(bytes));
  return packets.ok ? packets.value : packets.malformed;
};
/** The golden packet with other bytes from an offset on. */
const changed = (offset: number, ...bytes: number[]) => GOLDEN.map((byte, at) => bytes[at - offset] ?? byte);

describe('congestion control feedback', () => {
  test('is reports by stream, and a timestamp', () => {
    expect([...serializeRtcp([FEEDBACK])]).toEqual(GOLDEN);
    expect(parseOne(GOLDEN)).toEqual([FEEDBACK]);
  });

  test.each([
    ['a stream header is cut', [...changed(0, 0x8b, 205, 0, 3).slice(0, 12), 0, 0, 0, 0], 'stream-truncated'],
    ['more reports are promised than follow', changed(14, 0, 200), 'reports-truncated'],
    ['more reports are promised than a wrapped sequence allows', changed(14, 0x40, 1), 'count'],
    ['a stream occurs twice', changed(24, 0, 0, 0, 1), 'stream-twice'],
    ['there is no timestamp', [0x8b, 205, 0, 1, 0, 0, 0, 1], 'truncated'],
  ])('is malformed when %s', (_, bytes, cause) => {
    expect(parseOne(bytes)).toBe(`congestion-control-feedback-${cause}`);
  });

  test.each([
    [0, 0],
    [500, 1_024],
    [8_189 / 1.024, 8_189],
  ])('keeps an offset of %d ms to 1/1024 s', (ms, units) => {
    const block = packetMetricBlock({ before: milliseconds(ms), ecn: ECN.capable1 });
    expect(reportedArrival(block)?.ecn).toBe(ECN.capable1);
    expect(reportedArrival(block)!.before! - milliseconds(ms)).toBeLessThan(1_000);
    expect(block & 0x1fff).toBe(Math.round((ms * 1.024 * units) / (units || 1)));
  });

  test('reports a packet without its time when that is out of range or unknown', () => {
    const late = packetMetricBlock({ before: seconds(9), ecn: ECN.capable0 });
    expect(reportedArrival(late)).toEqual({ before: undefined, ecn: ECN.capable0 });
    expect(reportedArrival(0x9fff)).toEqual({ before: undefined, ecn: ECN.notCapable });
    expect(reportedArrival(NOT_RECEIVED)).toBeUndefined();
  });

  test('round-trips', () => {
    const uint = (bits: number) => fc.integer({ min: 0, max: 2 ** bits - 1 });
    const stream = fc.record({
      ssrc: uint(32),
      beginSequence: uint(16).map((n) => wireSequence(n)),
      reports: fc.uint16Array({ maxLength: 40 }),
    });
    fc.assert(
      fc.property(
        fc.record({
          kind: fc.constant('congestion-control-feedback' as const),
          senderSsrc: uint(32),
          streams: fc.uniqueArray(stream, { maxLength: 4, selector: ({ ssrc }) => ssrc }),
          reportTimestamp: uint(32),
        }),
        (feedback) => {
          expect(parseRtcp(serializeRtcp([feedback]))).toEqual({ ok: true, value: [feedback] });
        },
      ),
    );
  });

  test('never throws on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (body) => {
        const words = Math.floor(body.length / 4);
        const bytes = Uint8Array.from([0x8b, 205, 0, words, ...body.subarray(0, words * 4)]);
        const packets = parseRtcp(bytes);
        const packet = packets.ok ? packets.value[0] : undefined;
        if (packet?.kind !== 'congestion-control-feedback') return;
        const reports = packet.streams.flatMap((stream) => [...stream.reports]);
        expect(reports.length * 2).toBeLessThanOrEqual(bytes.length);
        for (const report of reports)
          expect(reportedArrival(report)?.before ?? microseconds(0)).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});
