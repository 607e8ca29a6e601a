import type { Instant } from '../../protocol/base/instant.ts';
import type { Direction } from '../../sim/direction.ts';

/** LINKTYPE_RAW: each packet begins with an IP header. */
const LINK_TYPE_RAW = 101;
/** Documentation addresses (RFC 5737). */
const SENDER = { address: [192, 0, 2, 1], port: 5004 };
const RECEIVER = { address: [192, 0, 2, 2], port: 6004 };
const IP_BYTES = 20;
const UDP_BYTES = 8;
const UDP = 17;

/** The ends of the path: what crosses them is on an interface of its own. */
const SENDERS_END = 0;
const RECEIVERS_END = 1;

/**
 * What crosses both ends of a path, as pcapng (draft-ietf-opsawg-pcapng): one interface for each end, so that what is on
 * the first and not on the second was lost. Instants are those of the virtual clock, from 1970 on.
 */
export class PathCapture {
  readonly #protocol: number;
  readonly #blocks: Uint8Array[] = [sectionHeader(), interfaceDescription('sender'), interfaceDescription('receiver')];
  #identification = 0;

  /** @param protocol what the datagrams are beneath IP: 17, their UDP header is not theirs; else they bring their own. */
  constructor(protocol = UDP) {
    this.#protocol = protocol;
  }

  onSent(now: Instant, direction: Direction, datagram: Uint8Array): void {
    this.#add(now, direction === 'forward' ? SENDERS_END : RECEIVERS_END, direction, datagram);
  }

  onDelivered(now: Instant, direction: Direction, datagram: Uint8Array): void {
    this.#add(now, direction === 'forward' ? RECEIVERS_END : SENDERS_END, direction, datagram);
  }

  /** The file. */
  bytes(): Uint8Array {
    return new Uint8Array(Buffer.concat(this.#blocks));
  }

  #add(now: Instant, end: number, direction: Direction, datagram: Uint8Array): void {
    const packet = this.#packet(direction, datagram);
    const padded = (packet.length + 3) & ~3;
    const body = Buffer.alloc(20 + padded);
    body.writeUInt32LE(end, 0);
    body.writeUInt32LE(Math.floor(now / 0x1_0000_0000), 4);
    body.writeUInt32LE(now % 0x1_0000_0000, 8);
    body.writeUInt32LE(packet.length, 12);
    body.writeUInt32LE(packet.length, 16);
    body.set(packet, 20);
    this.#blocks.push(block(6, body));
  }

  #packet(direction: Direction, datagram: Uint8Array): Uint8Array {
    const udp = this.#protocol === UDP;
    const [from, to] = direction === 'forward' ? [SENDER, RECEIVER] : [RECEIVER, SENDER];
    const header = IP_BYTES + (udp ? UDP_BYTES : 0);
    const packet = Buffer.alloc(header + datagram.length);
    packet[0] = 0x45;
    packet.writeUInt16BE(packet.length, 2);
    packet.writeUInt16BE(this.#identification++ & 0xffff, 4);
    packet[8] = 64;
    packet[9] = this.#protocol;
    packet.set(from.address, 12);
    packet.set(to.address, 16);
    packet.writeUInt16BE(checksum(packet.subarray(0, IP_BYTES)), 10);
    if (udp) {
      packet.writeUInt16BE(from.port, IP_BYTES);
      packet.writeUInt16BE(to.port, IP_BYTES + 2);
      packet.writeUInt16BE(UDP_BYTES + datagram.length, IP_BYTES + 4); // checksum 0: not computed (RFC 768)
    }
    packet.set(datagram, header);
    return packet;
  }
}

/** §3.1: every block begins and ends with its length. */
function block(type: number, body: Uint8Array): Uint8Array {
  const length = 12 + body.length;
  const bytes = Buffer.alloc(length);
  bytes.writeUInt32LE(type, 0);
  bytes.writeUInt32LE(length, 4);
  bytes.set(body, 8);
  bytes.writeUInt32LE(length, length - 4);
  return bytes;
}

/** §4.1: byte order, version 1.0, and a length of the section that is not told. */
function sectionHeader(): Uint8Array {
  const body = Buffer.alloc(16);
  body.writeUInt32LE(0x1a2b3c4d, 0);
  body.writeUInt16LE(1, 4);
  body.fill(0xff, 8);
  return block(0x0a0d0d0a, body);
}

/** §4.2: the link type, no limit of length, and a name; instants are in microseconds where nothing else is said. */
function interfaceDescription(name: string): Uint8Array {
  const padded = (name.length + 3) & ~3;
  const body = Buffer.alloc(8 + 4 + padded + 4);
  body.writeUInt16LE(LINK_TYPE_RAW, 0);
  body.writeUInt16LE(2, 8);
  body.writeUInt16LE(name.length, 10);
  body.write(name, 12, 'latin1');
  return block(1, body);
}

/** RFC 1071. */
function checksum(header: Buffer): number {
  let sum = 0;
  for (let offset = 0; offset < header.length; offset += 2) sum += header.readUInt16BE(offset);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
