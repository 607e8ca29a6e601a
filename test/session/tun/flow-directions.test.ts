import { expect, test } from 'vitest';
import { parseIpPacket } from '../../../protocol/ip-packet.ts';
import { FlowDirections } from '../../../session/tun/flow-directions.ts';
import { ACK, icmpUnreachable, ipv4, ipv6, SYN, tcp, udp, V4 } from '../../protocol/ip-packets.ts';

function watcher() {
  const directions = new FlowDirections();
  return (bytes: Uint8Array) => {
    const packet = parseIpPacket(bytes);
    if (!packet.ok) throw new Error(packet.malformed);
    return directions.of(bytes, packet.value);
  };
}

const datagram = (source: number, destination: number) => ipv4({ protocol: 17, payload: udp(source, destination) });
const segment = (source: number, destination: number, flags: number) =>
  ipv4({ protocol: 6, payload: tcp(source, destination, flags) });

test('sends TCP forward from the side that sent the SYN, and back from the other', () => {
  const of = watcher();
  expect(of(segment(40_000, 80, SYN))).toBe('forward');
  expect(of(segment(80, 40_000, SYN | ACK))).toBe('back');
  expect(of(segment(40_000, 80, ACK))).toBe('forward');
  expect(of(segment(80, 40_000, ACK))).toBe('back');
});

test('decides again on a new SYN, and infers the opener from a SYN with ACK', () => {
  const of = watcher();
  expect(of(segment(80, 40_000, ACK))).toBe('forward');
  expect(of(segment(40_000, 80, SYN))).toBe('forward');
  expect(of(segment(80, 40_000, ACK))).toBe('back');
  expect(of(segment(81, 40_000, SYN | ACK))).toBe('back');
});

test('sends the first UDP datagram of each pair of ports forward', () => {
  const of = watcher();
  expect(of(datagram(40_000, 9_000))).toBe('forward');
  expect(of(datagram(9_000, 40_000))).toBe('back');
  expect(of(datagram(9_000, 40_001))).toBe('forward');
  expect(of(datagram(40_001, 9_000))).toBe('back');
});

test('treats the same ports in another protocol or over IPv6 as another flow', () => {
  const of = watcher();
  expect(of(datagram(40_000, 9_000))).toBe('forward');
  expect(of(segment(9_000, 40_000, SYN))).toBe('forward');
  expect(of(ipv6({ next: 17, payload: udp(9_000, 40_000) }))).toBe('forward');
});

test('sends packets from a socket to its own port forward', () => {
  const of = watcher();
  expect([of(datagram(5_004, 5_004)), of(datagram(5_004, 5_004))]).toEqual(['forward', 'forward']);
});

test('sends pings forward and their answers back, over IPv4 and IPv6', () => {
  const of = watcher();
  const echo = (type: number) => Uint8Array.of(type, 0, 0, 0, 0, 1, 0, 1);
  expect(of(ipv4({ protocol: 1, payload: echo(8) }))).toBe('forward');
  expect(of(ipv4({ protocol: 1, payload: echo(0) }))).toBe('back');
  expect(of(ipv6({ next: 58, payload: echo(128) }))).toBe('forward');
  expect(of(ipv6({ next: 58, payload: echo(129) }))).toBe('back');
});

test('sends an ICMP error opposite to the packet it reports', () => {
  const of = watcher();
  const arrived = (source: number, destination: number) =>
    ipv4({ protocol: 17, payload: udp(source, destination), source: V4.across, destination: V4.local });
  expect(of(datagram(40_000, 9))).toBe('forward');
  expect(of(icmpUnreachable(arrived(40_000, 9)))).toBe('back');
  expect(of(datagram(9, 40_000))).toBe('back');
  expect(of(icmpUnreachable(arrived(9, 40_000)))).toBe('forward');
});

test('sends fragments in the direction of their first fragment, separately for each packet', () => {
  const of = watcher();
  const fragment = (identification: number, flagsAndOffset: number, payload: Uint8Array) =>
    of(ipv4({ protocol: 17, payload, identification, flagsAndOffset }));
  expect(of(datagram(40_000, 9_000))).toBe('forward');
  expect(fragment(1, 0x2000, udp(9_000, 40_000))).toBe('back');
  expect(fragment(2, 0x2000, udp(40_000, 9_000))).toBe('forward');
  const middle = new Uint8Array(16);
  expect(fragment(1, 0x20b9, middle)).toBe('back');
  expect(fragment(2, 0x00b9, middle)).toBe('forward');
  expect(fragment(1, 0x0172, middle)).toBe('back');
});

test('keeps an active flow while a hundred thousand others are added', () => {
  const of = watcher();
  expect(of(datagram(1, 2))).toBe('forward');
  for (let index = 0; index < 100_000; index++) {
    of(datagram(1_000 + (index % 50_000), 100 + Math.floor(index / 50_000)));
    if (index % 1_000 === 0) expect(of(datagram(2, 1))).toBe('back');
  }
});
