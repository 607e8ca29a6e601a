import { createWriteStream, type WriteStream } from 'node:fs';
import { causeOf, Failure } from '../os/failure.ts';

/** LINKTYPE_RAW: each record begins with an IP header. */
const LINK_TYPE_RAW = 101;
const SNAPSHOT_BYTES = 65_535;
/** Documentation addresses (RFC 5737): a capture tells who spoke to whom, not where they live. */
const SENDER_ADDRESS = [192, 0, 2, 1];
const RECEIVER_ADDRESS = [192, 0, 2, 2];
const IP_HEADER_BYTES = 20;
const UDP_HEADER_BYTES = 8;
/** Media of a capture is always found on this port, whatever it had on the wire (the one that RFC 3551 §8 registers). */
const MEDIA_PORT = 5004;

/**
 * Writes datagrams to a pcap file that Wireshark and tshark open: each in an IPv4 and UDP header of its own making,
 * with the time of day at which it crossed our end of the path.
 */
export class DatagramCapture {
  readonly #file: WriteStream;
  #identification = 0;

  static async open(path: string, onFailure: (error: Error) => void): Promise<DatagramCapture> {
    const file = createWriteStream(path);
    await new Promise<void>((resolve, reject) => {
      file.once('open', () => resolve());
      file.once('error', (error) => reject(new Failure(`cannot write the capture ${path}: ${causeOf(error)}`)));
    });
    file.on('error', (error) => onFailure(new Failure(`cannot write the capture ${path}: ${causeOf(error)}`)));
    return new DatagramCapture(file);
  }

  private constructor(file: WriteStream) {
    this.#file = file;
    const header = Buffer.alloc(24);
    header.writeUInt32LE(0xa1b2c3d4, 0);
    header.writeUInt16LE(2, 4);
    header.writeUInt16LE(4, 6);
    header.writeUInt32LE(SNAPSHOT_BYTES, 16);
    header.writeUInt32LE(LINK_TYPE_RAW, 20);
    file.write(header);
  }

  /** @param direction `in`: from the sender to the receiver. */
  write(direction: 'in' | 'out', datagram: Uint8Array): void {
    const length = IP_HEADER_BYTES + UDP_HEADER_BYTES + datagram.length;
    if (length > SNAPSHOT_BYTES || this.#file.destroyed) return;
    const record = Buffer.alloc(16 + length);
    const atMs = performance.timeOrigin + performance.now();
    record.writeUInt32LE(Math.floor(atMs / 1_000), 0);
    record.writeUInt32LE(Math.floor((atMs % 1_000) * 1_000), 4);
    record.writeUInt32LE(length, 8);
    record.writeUInt32LE(length, 12);
    this.#writeHeaders(record.subarray(16), direction, datagram.length);
    record.set(datagram, 16 + IP_HEADER_BYTES + UDP_HEADER_BYTES);
    this.#file.write(record);
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#file.destroyed) resolve();
      else this.#file.end(() => resolve());
    });
  }

  #writeHeaders(packet: Buffer, direction: 'in' | 'out', payloadBytes: number): void {
    packet[0] = 0x45;
    packet.writeUInt16BE(IP_HEADER_BYTES + UDP_HEADER_BYTES + payloadBytes, 2);
    packet.writeUInt16BE(this.#identification++ & 0xffff, 4);
    packet[8] = 64;
    packet[9] = 17;
    packet.set(direction === 'in' ? SENDER_ADDRESS : RECEIVER_ADDRESS, 12);
    packet.set(direction === 'in' ? RECEIVER_ADDRESS : SENDER_ADDRESS, 16);
    packet.writeUInt16BE(checksum(packet.subarray(0, IP_HEADER_BYTES)), 10);
    packet.writeUInt16BE(direction === 'in' ? MEDIA_PORT : MEDIA_PORT + 1_000, IP_HEADER_BYTES);
    packet.writeUInt16BE(direction === 'in' ? MEDIA_PORT + 1_000 : MEDIA_PORT, IP_HEADER_BYTES + 2);
    packet.writeUInt16BE(UDP_HEADER_BYTES + payloadBytes, IP_HEADER_BYTES + 4); // checksum 0: not computed (RFC 768)
  }
}

/** RFC 1071. */
function checksum(header: Buffer): number {
  let sum = 0;
  for (let offset = 0; offset < header.length; offset += 2) sum += header.readUInt16BE(offset);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
