import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isBetween, parseIpPacket, quotedPacketOffset, swapAddresses } from '../../protocol/ip-packet.ts';
import { icmpUnreachable, internetChecksum, ipv4, ipv6, udp, V4, V6 } from './ip-packets.ts';

const parse = (bytes: Uint8Array) => {
  const packet = parseIpPacket(bytes);
  if (!packet.ok) throw new Error(packet.malformed);
  return packet.value;
};

test('finds protocol and payload of an IPv4 packet, with header options', () => {
  expect(parse(ipv4({ protocol: 17, payload: udp(1, 2) }))).toEqual({
    version: 4,
    protocol: 17,
    transportOffset: 20,
    fragment: undefined,
  });
  const withOptions = Uint8Array.of(0x46, ...ipv4({ protocol: 6, payload: udp(1, 2) }).subarray(1));
  expect(parse(withOptions)).toMatchObject({ protocol: 6, transportOffset: 24 });
});

test('finds the payload of an IPv6 packet behind extension headers, and recognizes fragments', () => {
  expect(parse(ipv6({ next: 17, payload: udp(1, 2) }))).toMatchObject({
    version: 6,
    protocol: 17,
    transportOffset: 40,
  });
  const options = Uint8Array.of(17, 0, 0, 0, 0, 0, 0, 0, ...udp(1, 2));
  expect(parse(ipv6({ next: 0, payload: options }))).toMatchObject({ protocol: 17, transportOffset: 48 });
  const fragment = Uint8Array.of(17, 0, 0x05, 0xa8, 0x12, 0x34, 0x56, 0x78, 0xff, 0xff);
  expect(parse(ipv6({ next: 44, payload: fragment }))).toMatchObject({
    protocol: 17,
    fragment: { identification: 0x1234_5678, first: false },
  });
});

test.each([
  [{ flagsAndOffset: 0x4000 }, undefined],
  [{ flagsAndOffset: 0x2000 }, { identification: 7, first: true }],
  [{ flagsAndOffset: 0x20b9 }, { identification: 7, first: false }],
  [{ flagsAndOffset: 0x00b9 }, { identification: 7, first: false }],
])('IPv4 flags and offset %o make the fragment %o', (fields, fragment) => {
  expect(parse(ipv4({ protocol: 17, payload: udp(1, 2), identification: 7, ...fields })).fragment).toEqual(fragment);
});

test('rejects truncated packets and other protocols', () => {
  const whole = ipv6({ next: 0, payload: Uint8Array.of(17, 0, 0, 0, 0, 0, 0, 0) });
  for (const bytes of [
    [],
    [0x45],
    [0x15],
    whole.subarray(0, 39),
    whole.subarray(0, 44),
    [0x44, ...Array(30).fill(0)],
  ]) {
    expect(parseIpPacket(Uint8Array.from(bytes)).ok).toBe(false);
  }
  const endless = ipv6({ next: 0, payload: new Uint8Array(200) });
  expect(parseIpPacket(endless)).toEqual({ ok: false, malformed: 'too many IPv6 extension headers' });
});

test('never throws on arbitrary bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), fc.constantFrom(0x45, 0x4f, 0x60), (bytes, first) => {
      if (bytes.length > 0) bytes[0] = first;
      const packet = parseIpPacket(bytes);
      if (!packet.ok) return;
      const before = bytes.slice();
      swapAddresses(bytes, packet.value);
      expect([...bytes].sort((a, b) => a - b)).toEqual([...before].sort((a, b) => a - b));
    }),
  );
});

test('finds the direction between two addresses', () => {
  const there = ipv4({ protocol: 17, payload: udp(1, 2) });
  expect(isBetween(there, 4, V4.local, V4.across)).toBe(true);
  expect(isBetween(there, 4, V4.across, V4.local)).toBe(false);
  expect(isBetween(ipv6({ next: 17, payload: udp(1, 2) }), 6, V6.local, V6.across)).toBe(true);
});

test('swapping addresses keeps the IPv4 header checksum and the UDP checksum valid', () => {
  const bytes = ipv4({ protocol: 17, payload: udp(40_000, 53, [1, 2, 3]) });
  const pseudoSum = () => internetChecksum([...bytes.subarray(12, 20), 0, 17, 0, 11, ...bytes.subarray(20), 0]);
  const before = pseudoSum();
  swapAddresses(bytes, parse(bytes));
  expect(isBetween(bytes, 4, V4.across, V4.local)).toBe(true);
  expect(internetChecksum(bytes.subarray(0, 20))).toBe(0);
  expect(pseudoSum()).toBe(before);
});

test('swaps the packet quoted in an ICMP error as well, and keeps its checksum valid', () => {
  const arrived = ipv4({ protocol: 17, payload: udp(40_000, 9), source: V4.across, destination: V4.local });
  const bytes = icmpUnreachable(arrived);
  const packet = parse(bytes);
  expect(quotedPacketOffset(bytes, packet)).toBe(28);
  swapAddresses(bytes, packet);
  expect(isBetween(bytes, 4, V4.across, V4.local)).toBe(true);
  expect(isBetween(bytes.subarray(28), 4, V4.local, V4.across)).toBe(true);
  expect(internetChecksum(bytes.subarray(20))).toBe(0);
  expect(internetChecksum(bytes.subarray(28, 48))).toBe(0);
});

test('echo messages and later fragments quote no packet', () => {
  const echo = ipv4({ protocol: 1, payload: Uint8Array.of(8, 0, 0, 0, 0, 1, 0, 1, 3, 3, 3, 3) });
  expect(quotedPacketOffset(echo, parse(echo))).toBeUndefined();
  const later = ipv4({ protocol: 1, payload: Uint8Array.of(3, 0, 0, 0, 0, 1, 0, 1, 3, 3), flagsAndOffset: 1 });
  expect(quotedPacketOffset(later, parse(later))).toBeUndefined();
});
