import { readUint16, writeUint16 } from '../base/big-endian.ts';
import { IP_HEADER_BYTES, UDP, UDP_HEADER_BYTES, UDP_IP_HEADER_BYTES } from '../ip-packet.ts';

/** Documentation addresses (RFC 5737). They identify the sending end and disclose no real address. */
const SENDER = { address: [192, 0, 2, 1], port: 5004 };
const RECEIVER = { address: [192, 0, 2, 2], port: 6004 };
const TIME_TO_LIVE = 64;

/**
 * Wraps datagrams of a session for a capture in an IPv4 header and, for UDP, a UDP header. Media always gets port 5004
 * (RFC 3551 §8), whichever port it used.
 */
export class CapturedDatagrams {
  readonly #protocol: number;
  #identification = 0;

  /** @param protocol IP protocol number; except for UDP (17), datagrams contain their own transport header. */
  constructor(protocol: number = UDP) {
    this.#protocol = protocol;
  }

  /** @param direction `forward` is from the sender to the receiver. */
  wrap(direction: 'forward' | 'back', datagram: Uint8Array): Uint8Array {
    const udp = this.#protocol === UDP;
    const [from, to] = direction === 'forward' ? [SENDER, RECEIVER] : [RECEIVER, SENDER];
    const headerBytes = udp ? UDP_IP_HEADER_BYTES : IP_HEADER_BYTES;
    const packet = new Uint8Array(headerBytes + datagram.length);
    packet[0] = 0x45;
    writeUint16(packet, 2, packet.length);
    writeUint16(packet, 4, this.#identification++ & 0xffff);
    packet[8] = TIME_TO_LIVE;
    packet[9] = this.#protocol;
    packet.set(from.address, 12);
    packet.set(to.address, 16);
    writeUint16(packet, 10, headerChecksum(packet));
    if (udp) {
      writeUint16(packet, IP_HEADER_BYTES, from.port);
      writeUint16(packet, IP_HEADER_BYTES + 2, to.port);
      writeUint16(packet, IP_HEADER_BYTES + 4, UDP_HEADER_BYTES + datagram.length); // checksum 0: unused (RFC 768)
    }
    packet.set(datagram, headerBytes);
    return packet;
  }
}

/** Checksum of an IPv4 header without options whose checksum field is still 0 (RFC 1071). */
function headerChecksum(packet: Uint8Array): number {
  let sum = 0;
  for (let offset = 0; offset < IP_HEADER_BYTES; offset += 2) sum += readUint16(packet, offset);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
