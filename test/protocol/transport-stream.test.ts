import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { ticks } from '../../protocol/base/units.ts';
import { joinAnnexB } from '../../protocol/codec/nal/annex-b.ts';
import {
  carriesClock,
  clearClock,
  holdsTransportStream,
  stampClocks,
  TRANSPORT_PACKET_BYTES,
  TransportStreamWriter,
} from '../../protocol/transport-stream.ts';
import { optional } from '../optional.ts';
import { sampleUnits } from '../sample-units.ts';

const DELIMITER = Uint8Array.of(0x09, 0xf0);

test('a key frame begins with both tables, then the picture with clock and timestamps', () => {
  const unit: AccessUnit = {
    parts: [Uint8Array.of(0x65, 0x88)],
    timestamp: ticks(3_000),
    decodeTimestamp: ticks(0),
    importance: 'key',
  };
  const bytes = new TransportStreamWriter({ clockLead: ticks(45_000) }).write(unit);
  expect(bytes.length).toBe(3 * TRANSPORT_PACKET_BYTES);
  expect([...bytes.subarray(0, 21)]).toEqual([
    ...[0x47, 0x40, 0x00, 0x10], // sync, PID 0 with a start, payload only, counter 0
    ...[0x00], // pointer
    ...[0x00, 0xb0, 0x0d, 0x00, 0x01, 0xc1, 0x00, 0x00], // program association, 13 bytes follow, current
    ...[0x00, 0x01, 0xf0, 0x00], // program 1 on PID 0x1000
    ...[0x2a, 0xb1, 0x04, 0xb2], // CRC, which is the same for every such table
  ]);
  const map = bytes.subarray(TRANSPORT_PACKET_BYTES);
  expect([...map.subarray(0, 22)]).toEqual([
    ...[0x47, 0x50, 0x00, 0x10, 0x00], // PID 0x1000
    ...[0x02, 0xb0, 0x12, 0x00, 0x01, 0xc1, 0x00, 0x00], // program map, 18 bytes follow
    ...[0xe1, 0x00, 0xf0, 0x00], // the clock is on PID 0x100, no descriptors
    ...[0x1b, 0xe1, 0x00, 0xf0, 0x00], // H.264 on PID 0x100
  ]);
  const video = bytes.subarray(2 * TRANSPORT_PACKET_BYTES);
  // 19 bytes of header, 6 of delimiter, 6 of picture: 31; so 184 - 31 = 153 bytes of adaptation field.
  expect([...video.subarray(0, 12)]).toEqual([
    ...[0x47, 0x41, 0x00, 0x30], // PID 0x100 with a start, adaptation field and payload
    ...[152, 0x50], // its length, random access and clock
    ...[0x00, 0x00, 0x57, 0xe4, 0x7e, 0x00], // 45,000 ticks of 90 kHz: the start value of 90,000 minus the lead
  ]);
  expect([...video.subarray(157)]).toEqual([
    ...[0x00, 0x00, 0x01, 0xe0, 0x00, 25, 0x84, 0xc0, 10], // video, 25 bytes follow, aligned, two times
    ...[0x31, 0x00, 0x05, 0xd6, 0x91], // 93,000
    ...[0x11, 0x00, 0x05, 0xbf, 0x21], // 90,000
    ...[0x00, 0x00, 0x00, 0x01, 0x09, 0xf0], // delimiter
    ...[0x00, 0x00, 0x00, 0x01, 0x65, 0x88],
  ]);
});

test('packets hold exactly their picture, whatever its size', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 4 }), (sizes) => {
      const parts = sizes.map((size) => new Uint8Array(size).fill(0x41));
      const writer = new TransportStreamWriter({ clockLead: ticks(0) });
      const unit: AccessUnit = { parts, timestamp: ticks(0), decodeTimestamp: ticks(0), importance: 'reference' };
      const payload = payloadOf(writer.write(unit), 0x100);
      expect(payload.subarray(19)).toEqual(joinAnnexB([DELIMITER, ...parts]));
    }),
  );
});

test('continuity counters continue from picture to picture', () => {
  const writer = new TransportStreamWriter({ clockLead: ticks(0) });
  const counters: number[] = [];
  for (let index = 0; index < 40; index += 1) {
    const packets = writer.write({
      parts: [new Uint8Array(300).fill(0x41)],
      timestamp: ticks(index * 3_000),
      decodeTimestamp: ticks(index * 3_000),
      importance: 'reference',
    });
    for (const packet of packetsOf(packets)) if (pidOf(packet) === 0x100) counters.push((packet[3] ?? 0) & 15);
  }
  expect(counters).toEqual(counters.map((_, index) => index % 16));
});

test('a PCR-only packet has no payload and does not advance the continuity counter', () => {
  const writer = new TransportStreamWriter({ clockLead: ticks(0) });
  const picture = (time: number): AccessUnit => {
    return {
      parts: [Uint8Array.of(0x41)],
      timestamp: ticks(time),
      decodeTimestamp: ticks(time),
      importance: 'reference',
    };
  };
  const before = packetsOf(writer.write(picture(0))).at(-1)!;
  const alone = writer.writeClock(ticks(3_000));
  const after = packetsOf(writer.write(picture(6_000))).at(-1)!;
  expect([...alone.subarray(0, 12)]).toEqual([
    ...[0x47, 0x01, 0x00, 0x20 | (before[3]! & 15)], // PID 0x100, adaptation field only
    ...[183, 0x10], // the rest of the packet, clock
    ...[0x00, 0x00, 0xb5, 0xa4, 0x7e, 0x00], // 93,000
  ]);
  expect(after[3]! & 15).toBe((before[3]! & 15) + 1);
});

test('the clock does not go back for late pictures, and restarts on request', () => {
  const writer = new TransportStreamWriter({ clockLead: ticks(0) });
  const clockOf = (bytes: Uint8Array): number => {
    const packet = packetsOf(bytes).find((one) => pidOf(one) === 0x100)!;
    return packet.subarray(6, 10).reduce((sum, byte) => sum * 256 + byte, 0) * 2 - 90_000;
  };
  const write = (time: number) =>
    writer.write({
      parts: [Uint8Array.of(0x41)],
      timestamp: ticks(time),
      decodeTimestamp: ticks(time),
      importance: 'reference',
    });
  expect(clockOf(write(0))).toBe(0);
  writer.writeClock(ticks(30_000));
  expect(clockOf(write(3_000))).toBe(30_000);
  expect(clockOf(write(33_000))).toBe(33_000);
  writer.restartClock();
  expect(clockOf(write(6_000))).toBe(6_000);
});

const ffprobe = (() => {
  try {
    execFileSync('ffprobe', ['-version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

optional('ffprobe', ffprobe)('ffprobe finds every picture of our clip, with its times', () => {
  const units = sampleUnits().slice(0, 90);
  const writer = new TransportStreamWriter({ clockLead: ticks(0) });
  const stream = Buffer.concat(units.map((unit) => writer.write(unit)));
  const options = '-v error -f mpegts -show_entries packet=pts,dts -of csv=p=0 -'.split(' ');
  const lines = execFileSync('ffprobe', options, { input: stream, encoding: 'utf8' }).trim().split('\n');
  const expected = units.map((unit) => `${unit.timestamp + 90_000},${unit.decodeTimestamp + 90_000}`);
  // Side data of a packet follows on a line of its own, empty here.
  const times = lines.filter((line) => line !== '').map((line) => line.split(',').slice(0, 2).join(','));
  expect(times).toEqual(expected);
});

function packetsOf(stream: Uint8Array): Uint8Array[] {
  const packets: Uint8Array[] = [];
  for (let at = 0; at < stream.length; at += TRANSPORT_PACKET_BYTES) {
    packets.push(stream.subarray(at, at + TRANSPORT_PACKET_BYTES));
  }
  return packets;
}

const pidOf = (packet: Uint8Array): number => (((packet[1] ?? 0) & 0x1f) << 8) | (packet[2] ?? 0);

/** Reference demultiplexer. */
function payloadOf(stream: Uint8Array, pid: number): Uint8Array {
  const payload: number[] = [];
  for (const packet of packetsOf(stream)) {
    expect(packet[0]).toBe(0x47);
    expect(packet.length).toBe(TRANSPORT_PACKET_BYTES);
    if (pidOf(packet) !== pid) continue;
    const adaptation = ((packet[3] ?? 0) & 0x20) !== 0;
    payload.push(...packet.subarray(adaptation ? 5 + (packet[4] ?? 0) : 4));
  }
  return Uint8Array.from(payload);
}

test('a clock is stamped anew or taken out, and nothing else is changed', () => {
  const written = new TransportStreamWriter({ clockLead: ticks(0) }).write(sampleUnits()[0]!);
  const stamped = Uint8Array.from(written);
  stampClocks(stamped, 27_000_000 * 3 + 7);
  const packets = (bytes: Uint8Array) =>
    Array.from({ length: bytes.length / TRANSPORT_PACKET_BYTES }, (_, index) =>
      bytes.subarray(index * TRANSPORT_PACKET_BYTES, (index + 1) * TRANSPORT_PACKET_BYTES),
    );
  const changed = packets(stamped).flatMap((packet, index) =>
    Buffer.compare(packet, packets(written)[index]!) === 0 ? [] : [{ packet, index }],
  );
  expect(changed.map(({ index }) => carriesClock(packets(written)[index]!))).toEqual([true]);
  const view = Buffer.from(changed[0]!.packet);
  expect(view.readUInt32BE(6) * 2 + (view[10]! >> 7)).toBe(90_000 * 4);
  expect(((view[10]! & 1) << 8) | view[11]!).toBe(7);
  clearClock(changed[0]!.packet);
  expect(carriesClock(changed[0]!.packet)).toBe(false);
  expect(packets(stamped).map(({ 4: length }) => length)).toEqual(packets(written).map(({ 4: length }) => length));
});

test('a transport stream is recognized by five packets in a row, from within one too', () => {
  const written = new TransportStreamWriter({ clockLead: ticks(0) }).write(sampleUnits()[0]!);
  const cut = written.subarray(100, 100 + 6 * TRANSPORT_PACKET_BYTES);
  expect(holdsTransportStream(written)).toBe(true);
  expect(holdsTransportStream(cut)).toBe(true);
  expect(holdsTransportStream(cut.subarray(0, 4 * TRANSPORT_PACKET_BYTES))).toBe(false);
  expect(holdsTransportStream(new Uint8Array(2_000).fill(0x46))).toBe(false);
});
