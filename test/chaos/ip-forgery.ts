import { readUint16, readUint32, writeUint16, writeUint32 } from '../../protocol/base/big-endian.ts';
import { IP_HEADER_BYTES, parseIpPacket, TCP, UDP, UDP_HEADER_BYTES } from '../../protocol/ip-packet.ts';

const TCP_HEADER_BYTES = 20;
const RST = 0x04;

/** An IPv4 packet of the two channels. */
export interface Captured {
  readonly packet: Uint8Array;
  readonly channel: 'control' | 'media';
  /** Offset of the payload of UDP or TCP. */
  readonly payloadAt: number;
}

/** Reads a packet; `undefined` when it belongs to neither channel. */
export function capture(packet: Uint8Array): Captured | undefined {
  const ip = parseIpPacket(packet);
  if (!ip.ok || ip.value.version !== 4 || ip.value.fragment) return undefined;
  const at = ip.value.transportOffset;
  if (ip.value.protocol === UDP) return { packet, channel: 'media', payloadAt: at + UDP_HEADER_BYTES };
  if (ip.value.protocol !== TCP) return undefined;
  return { packet, channel: 'control', payloadAt: at + (packet[at + 12]! >> 4) * 4 };
}

export const payloadOf = ({ packet, payloadAt }: Captured): Uint8Array => packet.subarray(payloadAt);

/** The same packet with another payload, and with lengths and checksums that are right. */
export function withPayload(captured: Captured, payload: Uint8Array): Uint8Array {
  const packet = new Uint8Array(captured.payloadAt + payload.length);
  packet.set(captured.packet.subarray(0, captured.payloadAt));
  packet.set(payload, captured.payloadAt);
  return corrected(packet, captured.channel);
}

/** A reset of the connection, as if from the sender of this segment. @param behind distance from the right number. */
export function reset(captured: Captured, behind: number): Uint8Array {
  const packet = captured.packet.slice(0, IP_HEADER_BYTES + TCP_HEADER_BYTES);
  const sequence = readUint32(packet, IP_HEADER_BYTES + 4) + (captured.packet.length - captured.payloadAt);
  writeUint32(packet, IP_HEADER_BYTES + 4, (sequence - behind) >>> 0);
  packet[IP_HEADER_BYTES + 12] = (TCP_HEADER_BYTES / 4) << 4;
  packet[IP_HEADER_BYTES + 13] = RST;
  return corrected(packet, 'control');
}

function corrected(packet: Uint8Array, channel: Captured['channel']): Uint8Array {
  const header = (packet[0]! & 0x0f) * 4;
  writeUint16(packet, 2, packet.length);
  writeUint16(packet, 10, 0);
  writeUint16(packet, 10, ~sum(packet.subarray(0, header), 0) & 0xffff);
  const length = packet.length - header;
  if (channel === 'media') {
    writeUint16(packet, header + 4, length);
    writeUint16(packet, header + 6, 0); // unused (RFC 768)
    return packet;
  }
  writeUint16(packet, header + 16, 0);
  // Pseudo-header of RFC 9293 §3.1: addresses, protocol, length.
  const pseudo = sum(packet.subarray(12, 20), TCP + length);
  writeUint16(packet, header + 16, ~sum(packet.subarray(header), pseudo) & 0xffff);
  return packet;
}

/** Sum of 16-bit words in ones' complement (RFC 1071). */
function sum(bytes: Uint8Array, start: number): number {
  let total = start;
  for (let at = 0; at + 1 < bytes.length; at += 2) total += readUint16(bytes, at);
  if (bytes.length % 2 === 1) total += bytes.at(-1)! << 8;
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
  return total;
}
