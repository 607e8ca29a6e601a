import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { instant } from '../../../protocol/base/units.ts';
import { type CapturedPacket, CaptureParser, isCapture } from '../../../protocol/capture/capture-parser.ts';
import { CapturedDatagrams } from '../../../protocol/capture/captured-datagrams.ts';
import { capturedDatagram } from '../../../protocol/capture/captured-udp.ts';
import { pcapHeader, pcapRecord } from '../../../protocol/capture/pcap.ts';
import { enhancedPacket, interfaceDescription, sectionHeader } from '../../../protocol/capture/pcapng.ts';

const joined = (...parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap((part) => [...part]));
const packets = [1, 2, 3].map((count) => new CapturedDatagrams().wrap('forward', new Uint8Array(count).fill(count)));
const AT_US = 1_700_000_000_000_500;

const pcap = joined(pcapHeader(), ...packets.map((packet) => pcapRecord(AT_US / 1_000, packet)));
const pcapng = joined(
  sectionHeader(),
  interfaceDescription('eth0'),
  ...packets.map((packet) =>
    enhancedPacket({ interfaceIndex: 0, at: instant(AT_US), packet, direction: 'in', comment: 'a remark' }),
  ),
);

/** Parses a file in chunks of this size; returns copies of its packets, or what is malformed. */
function parse(file: Uint8Array, chunk = file.length): CapturedPacket[] | string {
  const parser = new CaptureParser();
  const found: CapturedPacket[] = [];
  for (let at = 0; at < file.length; at += chunk) {
    parser.push(file.subarray(at, at + chunk));
    for (;;) {
      const next = parser.next();
      if (!next.ok) return next.malformed;
      if (!next.value) break;
      found.push({ ...next.value, bytes: next.value.bytes.slice() });
    }
  }
  return found;
}

describe.each([
  ['pcap', pcap],
  ['pcapng', pcapng],
])('a %s file', (_, file) => {
  const expected = packets.map((bytes) => ({
    atUs: AT_US,
    linkType: 101,
    interfaceIndex: 0,
    bytes,
    wireBytes: bytes.length,
  }));

  test('gives back its packets, in chunks of any size', () => {
    for (const chunk of [1, 7, 64, file.length]) expect(parse(file, chunk)).toEqual(expected);
    expect(isCapture(file)).toBe(true);
  });

  test('that is cut short gives those before the cut', () => {
    expect(parse(file.subarray(0, file.length - 5))).toEqual(expected.slice(0, 2));
  });

  test('that is damaged anywhere is read or refused, without an exception', () => {
    fc.assert(
      fc.property(fc.nat(file.length - 1), fc.nat(255), fc.integer({ min: 1, max: 90 }), (at, value, chunk) => {
        const damaged = file.slice();
        damaged[at] = value;
        const read = parse(damaged, chunk);
        if (typeof read !== 'string') for (const packet of read) capturedDatagram(packet);
      }),
      { numRuns: 500 },
    );
  });
});

test('big-endian captures with nanoseconds keep fractions of a microsecond', () => {
  const view = new DataView(new ArrayBuffer(24 + 16 + 2));
  view.setUint32(0, 0xa1b23c4d);
  view.setUint32(20, 1);
  view.setUint32(24, 10);
  view.setUint32(28, 1_500);
  view.setUint32(32, 2);
  view.setUint32(36, 60);
  expect(parse(new Uint8Array(view.buffer))).toEqual([
    { atUs: 10_000_001.5, linkType: 1, interfaceIndex: 0, bytes: new Uint8Array(2), wireBytes: 60 },
  ]);
});

test('the resolution of a pcapng interface is applied', () => {
  const resolution = Uint8Array.of(9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0);
  const description = joined(interfaceDescription('e').subarray(0, 16), resolution, new Uint8Array(4));
  new DataView(description.buffer).setUint32(4, description.length, true);
  new DataView(description.buffer).setUint32(description.length - 4, description.length, true);
  const file = joined(
    sectionHeader(),
    description,
    enhancedPacket({ interfaceIndex: 0, at: instant(2_500), packet: packets[0]! }),
  );
  expect(parse(file)).toMatchObject([{ atUs: 2.5 }]);
});

test.each([
  ['a text', 'it begins neither as pcap nor as pcapng'],
  [joined(pcapHeader(), new Uint8Array(16).fill(255)), 'a packet of 4294967295 bytes at byte 24'],
  [joined(sectionHeader(), Uint8Array.of(6, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0)), 'a block of 7 bytes at byte 28'],
  [
    joined(sectionHeader(), enhancedPacket({ interfaceIndex: 3, at: instant(0), packet: packets[0]! })),
    'a packet of interface 3, which is not described at byte 28',
  ],
])('malformed files name the place: %#', (file, message) => {
  expect(parse(typeof file === 'string' ? new TextEncoder().encode(file) : file)).toBe(message);
});

describe('UDP is found behind', () => {
  const ip = packets[2]!;
  const found = {
    payload: Uint8Array.of(3, 3, 3),
    payloadBytes: 3,
    packetBytes: 31,
    flow: '192.0.2.1:5004 > 192.0.2.2:6004',
  };
  test.each([
    ['raw IP', 101, []],
    ['Ethernet', 1, [...new Array(12).fill(0), 8, 0]],
    ['two VLAN tags', 1, [...new Array(12).fill(0), 0x88, 0xa8, 0, 1, 0x81, 0, 0, 2, 8, 0]],
    ['Linux cooked', 113, [...new Array(14).fill(0), 8, 0]],
    ['Linux cooked, version 2', 276, [8, 0, ...new Array(18).fill(0)]],
    ['BSD loopback', 0, [2, 0, 0, 0]],
  ])('%s', (_, linkType, header) => {
    const bytes = Uint8Array.from([...header, ...ip]);
    expect(capturedDatagram({ atUs: 0, linkType, interfaceIndex: 0, bytes, wireBytes: bytes.length })).toEqual(found);
  });

  test('and why there is none is said', () => {
    const of = (linkType: number, bytes: Uint8Array) =>
      capturedDatagram({ atUs: 0, linkType, interfaceIndex: 0, bytes, wireBytes: 99 });
    expect(of(147, ip)).toBe('link type');
    expect(of(101, ip.subarray(0, 22))).toBe('truncated');
    expect(of(101, new CapturedDatagrams(6).wrap('forward', new Uint8Array(20)))).toBe('not UDP');
    expect(of(1, new Uint8Array(14))).toBe('not IP');
  });
});
