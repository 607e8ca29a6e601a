import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { writeUint16, writeUint32 } from '../../../protocol/base/big-endian.ts';
import { type Instant, instant, microseconds, milliseconds, seconds } from '../../../protocol/base/units.ts';
import { packetMetricBlock } from '../../../protocol/rtcp/congestion-control-feedback.ts';
import type { CongestionControlFeedback, StreamArrivals } from '../../../protocol/rtcp/rtcp.ts';
import { wireSequence } from '../../../protocol/rtp/sequence.ts';
import { SentPacketHistory } from '../../../sender/rate/sent-packet-history.ts';

const [MEDIA, RETRANSMISSION, REPAIR] = [1, 2, 3];
const STREAMS = { ssrc: MEDIA, retransmissionSsrc: RETRANSMISSION, repairSsrc: REPAIR };
const at = (ms: number): Instant => instant(milliseconds(ms));

function datagram(sequence: number, ssrc = MEDIA, bytes = 1_000): Uint8Array {
  const packet = new Uint8Array(bytes);
  writeUint16(packet, 2, sequence & 0xffff);
  writeUint32(packet, 8, ssrc);
  return packet;
}

/** Reports of consecutive packets: milliseconds between arrival and report, or `undefined` for one not received. */
const arrivals = (begin: number, before: readonly (number | undefined)[], ssrc = MEDIA): StreamArrivals => ({
  ssrc,
  beginSequence: wireSequence(begin),
  reports: Uint16Array.from(before, (ms) =>
    ms === undefined ? 0 : packetMetricBlock({ before: milliseconds(ms), ecn: 0 }),
  ),
});

const report = (ms: number, ...streams: StreamArrivals[]): CongestionControlFeedback => ({
  kind: 'congestion-control-feedback',
  senderSsrc: 9,
  streams,
  reportTimestamp: Math.round((ms * 65_536) / 1_000) >>> 0,
});

/** A history of this many packets, one a millisecond from 0 ms on. */
function history(packets: number, first = 0): SentPacketHistory {
  const sent = new SentPacketHistory(STREAMS);
  for (let index = 0; index < packets; index++) sent.onSent(at(index), datagram(first + index));
  return sent;
}

describe('the history of departures', () => {
  test.each([0, 1, 32_767, 65_534, 65_535])('matches reports with departures from sequence number %d on', (first) => {
    const sent = history(3, first);
    const matched = sent.match(at(60), report(5_030, arrivals(first, [20, undefined, 18.5])));
    expect(matched!.packets.map(({ number, sentAt }) => [number, sentAt])).toEqual([
      [0, at(0)],
      [1, at(1)],
      [2, at(2)],
    ]);
    const [one, two, three] = matched!.packets.map(({ arrivedAt }) => arrivedAt);
    expect(two).toBeUndefined();
    // To the resolution of both offsets.
    expect(Math.abs((three! - one!) / 1_000 - 1.5)).toBeLessThan(1);
    expect(matched!.roundTrip! / 1_000).toBeCloseTo(60 - 2 - 18.5, 0);
    expect(matched!.bytesInFlight).toBe(0);
  });

  test('numbers the datagrams of all streams together', () => {
    const sent = new SentPacketHistory(STREAMS);
    expect(sent.onSent(at(0), datagram(7))).toEqual({ number: 0, bytes: 1_000, kind: 'media' });
    expect(sent.onSent(at(1), datagram(900, RETRANSMISSION, 500))).toMatchObject({ number: 1, kind: 'retransmission' });
    expect(sent.onSent(at(2), datagram(0, REPAIR))).toMatchObject({ number: 2, kind: 'repair' });
    const streams = [arrivals(0, [1], REPAIR), arrivals(7, [3]), arrivals(900, [2], RETRANSMISSION)];
    expect(sent.match(at(40), report(40, ...streams))!.packets.map(({ number, kind }) => [number, kind])).toEqual([
      [0, 'media'],
      [1, 'retransmission'],
      [2, 'repair'],
    ]);
  });

  test('reports each packet at most once as missing and once as received', () => {
    const sent = history(4);
    const numbers = (feedback: CongestionControlFeedback) => sent.match(at(50), feedback)?.packets.map((p) => p.number);
    expect(numbers(report(40, arrivals(0, [5, undefined, 3])))).toEqual([0, 1, 2]);
    expect(numbers(report(40, arrivals(0, [5, undefined, 3])))).toBeUndefined();
    expect(numbers(report(45, arrivals(0, [10, 1, 8, 1])))).toEqual([1, 3]);
    // Contradicts an earlier report.
    expect(numbers(report(50, arrivals(0, [undefined, undefined, undefined])))).toBeUndefined();
  });

  test('ignores reports on packets that were never sent, and on other streams', () => {
    const sent = history(4);
    const feedback = report(40, arrivals(2, [5, 5, 5, 5]), arrivals(0, [1, 1], 77), arrivals(40_000, [1]));
    expect(sent.match(at(50), feedback)!.packets.map(({ number }) => number)).toEqual([2, 3]);
  });

  test('ignores reports earlier than the arrival can have been', () => {
    expect(history(1).match(at(10), report(2_000, arrivals(0, [500])))!.roundTrip).toBeUndefined();
  });

  test('counts bytes in flight until they are reported, or cannot be any more', () => {
    const sent = history(100);
    expect(sent.bytesInFlight).toBe(100_000);
    expect(sent.match(at(120), report(110, arrivals(50, Array(50).fill(1))))!.bytesInFlight).toBe(50_000);
    sent.onSent(at(5_000), datagram(100));
    expect(sent.match(at(5_050), report(5_040, arrivals(100, [1])))!.bytesInFlight).toBe(0);
    expect(sent.match(at(5_060), report(5_050, arrivals(0, [1])))).toBeUndefined();
  });

  test('grows to half the sequence space and no further', () => {
    const sent = new SentPacketHistory(STREAMS);
    for (let index = 0; index < 70_000; index++) sent.onSent(instant(microseconds(index * 10)), datagram(index));
    expect(sent.bytesInFlight).toBe(32_768_000);
    const matched = sent.match(at(701), report(700, arrivals(53_616 & 0xffff, Array(16_384).fill(1))));
    expect(matched!.packets).toHaveLength(16_384);
    expect(matched!.packets[0]!.number).toBe(53_616);
  });

  test('unwraps the report timestamp, and takes reports that overtook each other', () => {
    const sent = history(10);
    const wrap = 65_536_000 - 5;
    const arrivedAt = (ms: number, index: number) =>
      sent.match(at(60), report(ms, arrivals(index, [0])))!.packets[0]!.arrivedAt!;
    const first = arrivedAt(wrap, 0);
    expect((arrivedAt(wrap + 10, 1) - first) / 1_000).toBeCloseTo(10, 0);
    expect((arrivedAt(wrap + 2, 2) - first) / 1_000).toBeCloseTo(2, 0);
  });

  test('keeps its invariants whatever is reported', () => {
    const anyReport = fc.record({
      ssrc: fc.constantFrom(MEDIA, RETRANSMISSION, REPAIR, 99),
      begin: fc.integer({ min: 65_500, max: 65_700 }),
      before: fc.array(fc.option(fc.integer({ min: 0, max: 9_000 }), { nil: undefined }), { maxLength: 60 }),
      timestamp: fc.integer({ min: 0, max: 0xffff_ffff }),
    });
    fc.assert(
      fc.property(fc.array(anyReport, { maxLength: 30 }), (reports) => {
        const sent = history(120, 65_500);
        const received = new Set<number>();
        let now = seconds(0.2);
        for (const { ssrc, begin, before, timestamp } of reports) {
          now = microseconds(now + 1_000);
          const feedback = { ...report(0, arrivals(begin & 0xffff, before, ssrc)), reportTimestamp: timestamp };
          const matched = sent.match(instant(now), feedback);
          expect(sent.bytesInFlight).toBeGreaterThanOrEqual(0);
          for (const { number, arrivedAt } of matched?.packets ?? []) {
            expect(number).toBeLessThan(120);
            if (arrivedAt === undefined) continue;
            expect(received.has(number)).toBe(false);
            received.add(number);
          }
          expect(matched?.roundTrip ?? 0).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });
});
