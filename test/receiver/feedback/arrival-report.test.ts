import { describe, expect, test } from 'vitest';
import { writeUint16, writeUint32 } from '../../../protocol/base/big-endian.ts';
import { type Instant, instant, milliseconds } from '../../../protocol/base/units.ts';
import { reportedArrival } from '../../../protocol/rtcp/congestion-control-feedback.ts';
import { serializeRtcp } from '../../../protocol/rtcp/rtcp.ts';
import { ArrivalReport } from '../../../receiver/feedback/arrival-report.ts';

const at = (ms: number): Instant => instant(milliseconds(ms));
const INTERVAL = milliseconds(20);

function datagram(sequence: number, { marker = false, ssrc = 1, bytes = 1_200 } = {}): Uint8Array {
  const packet = new Uint8Array(bytes);
  packet[1] = marker ? 0xe0 : 0x60;
  writeUint16(packet, 2, sequence & 0xffff);
  writeUint32(packet, 8, ssrc);
  return packet;
}

/** A report as sequence numbers, each with the milliseconds since its arrival. */
function content(reports: ArrivalReport, ms: number) {
  const report = reports.poll(at(ms));
  return report?.streams.map(({ ssrc, beginSequence, reports }) => ({
    ssrc,
    packets: [...reports].map((block, index) => {
      const before = reportedArrival(block)?.before;
      return [(beginSequence + index) & 0xffff, before === undefined ? undefined : Math.round(before / 1_000)];
    }),
  }));
}

function wanted(): ArrivalReport {
  const reports = new ArrivalReport(9);
  reports.onWanted(at(0), INTERVAL);
  return reports;
}

describe('reports on single packets', () => {
  test('are sent only on request, and stop five seconds after the last one', () => {
    const reports = new ArrivalReport(9);
    reports.onPacket(at(0), datagram(1, { marker: true }));
    expect(reports.pollTimeout()).toBeUndefined();
    reports.onWanted(at(10), INTERVAL);
    reports.onPacket(at(4_000), datagram(2, { marker: true }));
    expect(content(reports, 4_000)).toEqual([{ ssrc: 1, packets: [[2, 0]] }]);
    reports.onPacket(at(5_011), datagram(3, { marker: true }));
    expect(reports.pollTimeout()).toBeUndefined();
  });

  test('follow the end of a frame at once, and a slow frame at the interval', () => {
    const reports = wanted();
    reports.onPacket(at(0), datagram(1, { marker: true }));
    expect(reports.pollTimeout()).toBe(at(0));
    reports.poll(at(0));
    reports.onPacket(at(3), datagram(2));
    expect(reports.pollTimeout()).toBe(at(20));
    reports.onPacket(at(12), datagram(3, { marker: true }));
    expect(reports.pollTimeout()).toBe(at(12));
  });

  test('say what arrived, what is missing, and repeat the packets of the report before', () => {
    const reports = wanted();
    reports.onPacket(at(0), datagram(65_534));
    reports.onPacket(at(5), datagram(0, { marker: true }));
    const gap = [65_535, undefined];
    expect(content(reports, 5)).toEqual([{ ssrc: 1, packets: [[65_534, 5], gap, [0, 0]] }]);
    reports.onPacket(at(40), datagram(1, { marker: true }));
    expect(content(reports, 40)).toEqual([{ ssrc: 1, packets: [[65_534, 40], gap, [0, 35], [1, 0]] }]);
    reports.onPacket(at(80), datagram(2, { marker: true }));
    expect(content(reports, 80)).toEqual([
      {
        ssrc: 1,
        packets: [
          [1, 40],
          [2, 0],
        ],
      },
    ]);
  });

  test('count the first of several copies, and a packet that comes late', () => {
    const reports = wanted();
    reports.onPacket(at(0), datagram(1));
    reports.onPacket(at(2), datagram(3, { marker: true }));
    reports.poll(at(2));
    reports.onPacket(at(30), datagram(1));
    reports.onPacket(at(32), datagram(2));
    expect(content(reports, 50)).toEqual([
      {
        ssrc: 1,
        packets: [
          [1, 50],
          [2, 18],
          [3, 48],
        ],
      },
    ]);
  });

  test('cover at most 512 packets however far the numbers jump, and at most three streams', () => {
    const reports = wanted();
    for (const ssrc of [1, 2, 3, 4]) reports.onPacket(at(0), datagram(0, { ssrc }));
    reports.onPacket(at(1), datagram(30_000, { marker: true }));
    const streams = content(reports, 20)!;
    expect(streams.map(({ packets }) => packets.length)).toEqual([512, 1, 1]);
    expect(streams[0]!.packets.at(-1)).toEqual([30_000, 19]);
  });

  test.each([
    [100_000, 30],
    [20_000, 30],
    [3_000_000, 30],
    [200_000_000, 60],
  ])(
    'take at most a fiftieth of %d bit/s at %d frames per second, or 6 kb/s, and two kilobytes at the start',
    (rate, fps) => {
      const reports = wanted();
      let sequence = 0;
      let [received, spent] = [0, 0];
      for (let frame = 0; frame < 4 * fps; frame++) {
        const now = Math.round((frame * 1_000) / fps);
        reports.onWanted(at(now), INTERVAL);
        const frameBytes = Math.round(rate / 8 / fps);
        for (let left = frameBytes; left > 0; left -= 1_200) {
          const bytes = Math.max(40, Math.min(1_200, left));
          received += bytes;
          reports.onPacket(at(now), datagram(sequence++, { marker: left <= 1_200, bytes }));
        }
        const report = reports.poll(at(now));
        if (!report) continue;
        const { length } = serializeRtcp([report]);
        spent += length;
        reports.onSent(length);
      }
      expect(spent).toBeGreaterThan(received * 0.001);
      expect(spent).toBeLessThan(Math.max(received * 0.02, 4 * 750) + 2_000 + 1_200);
    },
  );

  test('of a still scene are as frequent as the sender needs them, for as long as it lasts, and afterwards', () => {
    const reports = wanted();
    const each: number[] = [];
    let sequence = 0;
    for (let second = 0; second < 60; second++) {
      each.push(0);
      for (let frame = 0; frame < 30; frame++) {
        const now = second * 1_000 + Math.round((frame * 1_000) / 30);
        reports.onWanted(at(now), INTERVAL);
        const bytes = second < 50 ? 60 : 1_000;
        for (let packet = 0; packet < (second < 50 ? 1 : 8); packet++) {
          reports.onPacket(at(now), datagram(sequence++, { marker: second < 50 || packet === 7, bytes }));
        }
        const report = reports.poll(at(now));
        if (!report) continue;
        each[second]!++;
        reports.onSent(serializeRtcp([report]).length);
      }
    }
    expect(Math.min(...each)).toBeGreaterThanOrEqual(15);
    expect(Math.min(...each.slice(52))).toBe(30);
  });
});
