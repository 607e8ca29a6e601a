import { readUint16, writeUint16 } from '../base/big-endian.ts';
import { IP_HEADER_BYTES, UDP, UDP_HEADER_BYTES, UDP_IP_HEADER_BYTES } from '../ip-packet.ts';
import { ANNOUNCEMENT_ADDRESS, ANNOUNCEMENT_PORT, serializeAnnouncement } from './session-announcement.ts';

interface Place {
  readonly address: readonly number[];
  readonly port: number;
}

/** Documentation addresses (RFC 5737). They identify the sending end and disclose no real address. */
const SENDER: Place = { address: [192, 0, 2, 1], port: 5004 };
export const CAPTURED_RECEIVER: Place = { address: [192, 0, 2, 2], port: 6004 };
const ANNOUNCEMENTS: Place = { address: ANNOUNCEMENT_ADDRESS, port: ANNOUNCEMENT_PORT };
const TIME_TO_LIVE = 64;

/**
 * Wraps datagrams of a session for a capture in an IPv4 header and, for UDP, a UDP header. Media always gets port 5004
 * (RFC 3551 §8), whichever port it used.
 */
export class CapturedDatagrams {
  readonly #protocol: number;
  #identification = 0;
  #announcements = 0;

  /** @param protocol IP protocol number; except for UDP (17), datagrams contain their own transport header. */
  constructor(protocol: number = UDP) {
    this.#protocol = protocol;
  }

  /** @param direction `forward` is from the sender to the receiver. */
  wrap(direction: 'forward' | 'back', datagram: Uint8Array): Uint8Array {
    const [from, to] = direction === 'forward' ? [SENDER, CAPTURED_RECEIVER] : [CAPTURED_RECEIVER, SENDER];
    return this.#packet(this.#protocol, from, to, datagram);
  }

  /** Returns the announcement of a session (RFC 2974), from which a reader learns what follows. */
  announce(description: string): Uint8Array {
    const { address: source } = SENDER;
    const datagram = serializeAnnouncement({ source, number: ++this.#announcements & 0xffff, description });
    return this.#packet(UDP, { address: source, port: ANNOUNCEMENT_PORT }, ANNOUNCEMENTS, datagram);
  }

  #packet(protocol: number, from: Place, to: Place, datagram: Uint8Array): Uint8Array {
    const udp = protocol === UDP;
    const headerBytes = udp ? UDP_IP_HEADER_BYTES : IP_HEADER_BYTES;
    const packet = new Uint8Array(headerBytes + datagram.length);
    packet[0] = 0x45;
    writeUint16(packet, 2, packet.length);
    writeUint16(packet, 4, this.#identification++ & 0xffff);
    packet[8] = TIME_TO_LIVE;
    packet[9] = protocol;
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
