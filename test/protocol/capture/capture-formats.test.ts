import { expect, test } from 'vitest';
import { instant } from '../../../protocol/base/units.ts';
import { CapturedDatagrams } from '../../../protocol/capture/captured-datagrams.ts';
import { pcapHeader, pcapRecord } from '../../../protocol/capture/pcap.ts';
import { enhancedPacket, interfaceDescription, sectionHeader } from '../../../protocol/capture/pcapng.ts';

const hex = (bytes: Uint8Array): string =>
  Buffer.from(bytes)
    .toString('hex')
    .replaceAll(/(.{8})(?=.)/g, '$1 ');

test('a section header has byte order, version 1.0 and no length', () => {
  expect(hex(sectionHeader())).toBe('0a0d0d0a 1c000000 4d3c2b1a 01000000 ffffffff ffffffff 1c000000');
});

test('an interface description names the interface, padded to four bytes', () => {
  // Link type 101, no snapshot length; option 2 (if_name) of 4 bytes, end of options.
  expect(hex(interfaceDescription('tun0'))).toBe(
    '01000000 20000000 65000000 00000000 02000400 74756e30 00000000 20000000',
  );
  expect(interfaceDescription('tun').length).toBe(interfaceDescription('tun0').length);
});

test('a packet without direction and comment has no options', () => {
  const block = enhancedPacket({ interfaceIndex: 1, at: instant(2 ** 32 + 7), packet: Uint8Array.of(0x45, 1, 2) });
  expect(hex(block)).toBe('06000000 24000000 01000000 01000000 07000000 03000000 03000000 45010200 24000000');
});

test('direction and comment are options of the packet', () => {
  const block = enhancedPacket({
    interfaceIndex: 0,
    at: instant(0),
    packet: new Uint8Array(),
    direction: 'out',
    comment: 'é',
  });
  // Option 2 (epb_flags): outbound; option 1 (opt_comment) of two bytes of UTF-8; end of options.
  expect(hex(block.subarray(28))).toBe('02000400 02000000 01000200 c3a90000 00000000 34000000');
});

test('a pcap file begins with its header; a record has seconds, microseconds and the length twice', () => {
  expect(hex(pcapHeader())).toBe('d4c3b2a1 02000400 00000000 00000000 ffff0000 65000000');
  expect(hex(pcapRecord(2_001.5, Uint8Array.of(0x45)))).toBe('02000000 dc050000 01000000 01000000 45');
});

test('wraps a UDP datagram in IPv4 and UDP headers, with addresses and ports by direction', () => {
  const datagrams = new CapturedDatagrams();
  expect(hex(datagrams.wrap('forward', Uint8Array.of(0x80)))).toBe(
    '4500001d 00000000 4011f6cc c0000201 c0000202 138c1774 00090000 80',
  );
  expect(hex(datagrams.wrap('back', Uint8Array.of(0x81)))).toBe(
    '4500001d 00010000 4011f6cb c0000202 c0000201 1774138c 00090000 81',
  );
});

test('a datagram of another protocol keeps its own transport header', () => {
  const packet = new CapturedDatagrams(6).wrap('forward', Uint8Array.of(1, 2, 3, 4));
  expect(hex(packet)).toBe('45000018 00000000 4006f6dc c0000201 c0000202 01020304');
});

test('the IPv4 header checksum is valid', () => {
  const datagrams = new CapturedDatagrams();
  for (const bytes of [0, 1, 255, 256, 1_400, 65_507]) {
    const packet = datagrams.wrap('back', new Uint8Array(bytes));
    let sum = 0;
    for (let offset = 0; offset < 20; offset += 2) sum += packet[offset]! * 256 + packet[offset + 1]!;
    expect(sum % 0xffff).toBe(0);
  }
});
