import { readUint16, readUint32 } from './base/big-endian.ts';
import { malformed, type Parsed, parsed } from './base/parsed.ts';

/** Protocol numbers assigned by IANA (RFC 5237). */
export const ICMP = 1;
export const TCP = 6;
export const UDP = 17;
export const ICMPV6 = 58;

/** Layout of an IP packet. Holds offsets only, not the bytes. */
export interface IpPacket {
  readonly version: 4 | 6;
  /** Protocol number of the payload, after IPv6 extension headers. */
  readonly protocol: number;
  /** Offset of the payload, bytes. A fragment other than the first has no transport header there. */
  readonly transportOffset: number;
  /** `undefined` when the packet is not a fragment. */
  readonly fragment: { readonly identification: number; readonly first: boolean } | undefined;
}

/** Headers of IPv4 without options (RFC 791 §3.1) and of UDP (RFC 768), and of both. */
export const IP_HEADER_BYTES = 20;
export const UDP_HEADER_BYTES = 8;
export const UDP_IP_HEADER_BYTES = IP_HEADER_BYTES + UDP_HEADER_BYTES;
/** Header of IPv6 (RFC 8200 §3). */
export const IPV6_HEADER_BYTES = 40;
const ICMP_HEADER_BYTES = 8;
/** IPv6 extension headers (RFC 8200 §4): hop-by-hop options, routing, fragment, destination options. */
const EXTENSIONS = new Set([0, 43, 44, 60]);
const FRAGMENT = 44;
/** RFC 8200 §4.1 allows six at most. */
const EXTENSIONS_MAX = 8;

/** Parses the headers of an IPv4 (RFC 791 §3.1) or IPv6 (RFC 8200 §3) packet. Checksums are not verified. */
export function parseIpPacket(bytes: Uint8Array): Parsed<IpPacket> {
  const version = (bytes[0] ?? 0) >> 4;
  if (version === 4) return parseV4(bytes);
  if (version === 6) return parseV6(bytes);
  return malformed('neither IPv4 nor IPv6');
}

function parseV4(bytes: Uint8Array): Parsed<IpPacket> {
  if (bytes.length < IP_HEADER_BYTES) return malformed('shorter than an IPv4 header');
  const transportOffset = (bytes[0]! & 0x0f) * 4;
  if (transportOffset < IP_HEADER_BYTES) return malformed('IPv4 header shorter than 20 bytes');
  if (transportOffset > bytes.length) return malformed('shorter than its IPv4 header length');
  const flagsAndOffset = readUint16(bytes, 6);
  const whole = (flagsAndOffset & 0x3fff) === 0;
  const fragment = whole ? undefined : { identification: readUint16(bytes, 4), first: (flagsAndOffset & 0x1fff) === 0 };
  return parsed({ version: 4, protocol: bytes[9]!, transportOffset, fragment });
}

function parseV6(bytes: Uint8Array): Parsed<IpPacket> {
  if (bytes.length < IPV6_HEADER_BYTES) return malformed('shorter than an IPv6 header');
  let protocol = bytes[6]!;
  let offset = IPV6_HEADER_BYTES;
  let fragment: IpPacket['fragment'];
  for (let count = 0; EXTENSIONS.has(protocol); count++) {
    if (count === EXTENSIONS_MAX) return malformed('too many IPv6 extension headers');
    if (offset + 8 > bytes.length) return malformed('shorter than its IPv6 extension headers');
    const length = protocol === FRAGMENT ? 8 : (bytes[offset + 1]! + 1) * 8;
    if (protocol === FRAGMENT) {
      const identification = readUint32(bytes, offset + 4);
      fragment = { identification, first: readUint16(bytes, offset + 2) >> 3 === 0 };
    }
    protocol = bytes[offset]!;
    offset += length;
    // Later fragments have no header here.
    if (fragment && !fragment.first) break;
  }
  if (offset > bytes.length) return malformed('shorter than its IPv6 extension headers');
  return parsed({ version: 6, protocol, transportOffset: offset, fragment });
}

/**
 * True when an IPv4 or IPv6 packet goes from one address to the other. @param from, to 4 or 16 bytes, as on the wire
 */
export function isBetween(bytes: Uint8Array, version: 4 | 6, from: Uint8Array, to: Uint8Array): boolean {
  const [source, length] = version === 4 ? [12, 4] : [8, 16];
  for (let index = 0; index < length; index++) {
    if (bytes[source + index] !== from[index]) return false;
    if (bytes[source + length + index] !== to[index]) return false;
  }
  return true;
}

/** Returns the offset of the packet quoted by an ICMP error; `undefined` for other packets and truncated ones. */
export function quotedPacketOffset(bytes: Uint8Array, packet: IpPacket): number | undefined {
  const { protocol, transportOffset: icmp, fragment } = packet;
  if (fragment?.first === false || icmp + ICMP_HEADER_BYTES >= bytes.length) return undefined;
  const type = bytes[icmp]!;
  // RFC 792: unreachable, source quench, redirect, time exceeded, parameter problem; RFC 4443 §2.1: below 128.
  const isError = protocol === ICMP ? [3, 4, 5, 11, 12].includes(type) : protocol === ICMPV6 && type < 128;
  return isError ? icmp + ICMP_HEADER_BYTES : undefined;
}

/**
 * Swaps source and destination address in place, also in a packet quoted by an ICMP error. The checksum of RFC 1071
 * does not depend on the order of its summands, so all checksums stay valid, pseudo headers included.
 */
export function swapAddresses(bytes: Uint8Array, packet: IpPacket): void {
  swapAt(bytes, 0, packet.version);
  const quoted = quotedPacketOffset(bytes, packet);
  if (quoted !== undefined) swapAt(bytes, quoted, packet.version);
}

function swapAt(bytes: Uint8Array, start: number, version: 4 | 6): void {
  const [source, length] = version === 4 ? [start + 12, 4] : [start + 8, 16];
  if (source + 2 * length > bytes.length) return;
  for (let index = source; index < source + length; index++) {
    const byte = bytes[index]!;
    bytes[index] = bytes[index + length]!;
    bytes[index + length] = byte;
  }
}
