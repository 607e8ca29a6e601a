import { readUint16 } from '../base/big-endian.ts';
import { parseIpPacket, UDP, UDP_HEADER_BYTES } from '../ip-packet.ts';
import type { CapturedPacket } from './capture-parser.ts';

/** A UDP datagram in a capture. */
export interface CapturedDatagram {
  /** Payload as far as it was captured. */
  readonly payload: Uint8Array;
  /** Length of the payload on the wire, bytes. */
  readonly payloadBytes: number;
  /** Length of the IP packet on the wire, bytes. */
  readonly packetBytes: number;
  /** Addresses and ports, `192.0.2.1:5004 > 192.0.2.2:6004`. */
  readonly flow: string;
}

/** Why a captured packet is not a datagram that can be read. */
export type NotADatagram = 'link type' | 'not IP' | 'fragment' | 'not UDP' | 'truncated';

const ETHERNET_TYPES: readonly number[] = [0x0800, 0x86dd];
/** VLAN tags: IEEE 802.1Q and 802.1ad. */
const VLAN_TYPES: readonly number[] = [0x8100, 0x88a8, 0x9100];

/** Returns where the IP packet begins, by link-layer type (tcpdump.org/linktypes). */
function ipOffset(linkType: number, bytes: Uint8Array): number | NotADatagram {
  switch (linkType) {
    case 1: // Ethernet
      return afterEtherType(bytes, 12);
    case 113: // Linux cooked
      return afterEtherType(bytes, 14);
    case 276: // Linux cooked, version 2: the type comes first
      return bytes.length < 20 ? 'truncated' : ETHERNET_TYPES.includes(readUint16(bytes, 0)) ? 20 : 'not IP';
    case 0: // BSD loopback
    case 108:
      return 4;
    case 12: // raw IP
    case 14:
    case 101:
    case 228:
    case 229:
      return 0;
    default:
      return 'link type';
  }
}

function afterEtherType(bytes: Uint8Array, at: number): number | NotADatagram {
  for (let offset = at; offset + 2 <= bytes.length; offset += 4) {
    const type = readUint16(bytes, offset);
    if (ETHERNET_TYPES.includes(type)) return offset + 2;
    if (!VLAN_TYPES.includes(type)) return 'not IP';
  }
  return 'truncated';
}

/** Returns the UDP datagram in a captured packet, or why there is none. Checksums are not verified. */
export function capturedDatagram({ linkType, bytes }: CapturedPacket): CapturedDatagram | NotADatagram {
  const start = ipOffset(linkType, bytes);
  if (typeof start !== 'number') return start;
  const packet = bytes.subarray(start);
  if (packet.length === 0) return 'truncated';
  const read = parseIpPacket(packet);
  if (!read.ok) return read.malformed.startsWith('shorter') ? 'truncated' : 'not IP';
  const { version, protocol, transportOffset: udp, fragment } = read.value;
  if (fragment) return 'fragment';
  if (protocol !== UDP) return 'not UDP';
  if (packet.length < udp + UDP_HEADER_BYTES) return 'truncated';
  const payloadBytes = readUint16(packet, udp + 4) - UDP_HEADER_BYTES;
  if (payloadBytes < 0) return 'not UDP';
  const payload = packet.subarray(udp + UDP_HEADER_BYTES, udp + UDP_HEADER_BYTES + payloadBytes);
  const [from, to] = version === 4 ? [12, 16] : [8, 24];
  const flow = `${address(packet, version, from)}:${readUint16(packet, udp)} > ${address(packet, version, to)}:${readUint16(packet, udp + 2)}`;
  return { payload, payloadBytes, packetBytes: udp + UDP_HEADER_BYTES + payloadBytes, flow };
}

function address(packet: Uint8Array, version: 4 | 6, at: number): string {
  if (version === 4) return packet.subarray(at, at + 4).join('.');
  const groups = Array.from({ length: 8 }, (_, index) => readUint16(packet, at + 2 * index).toString(16));
  return `[${groups.join(':')}]`;
}
