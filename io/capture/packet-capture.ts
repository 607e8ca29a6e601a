import { closeSync, openSync, writeSync } from 'node:fs';
import { causeOf, Failure } from '../os/failure.ts';

/** LINKTYPE_RAW: each record begins with an IP header. */
const LINK_TYPE_RAW = 101;
const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE_DESCRIPTION = 1;
const ENHANCED_PACKET = 6;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const OPTION_COMMENT = 1;
const OPTION_INTERFACE_NAME = 2;
const OPTION_FLAGS = 2;
const INBOUND = 1;
const OUTBOUND = 2;
/** Written at once. */
const BUFFER_BYTES = 1 << 18;

type Option = readonly [code: number, value: Uint8Array];

/**
 * Writes IP packets to a pcapng file (draft-ietf-opsawg-pcapng), with the time of day to the microsecond, their
 * direction as seen from the machine, and a comment on each of which there is something to say. Synchronous: for a
 * thread of its own.
 */
export class PacketCapture {
  readonly #path: string;
  readonly #fd: number;
  readonly #buffer = Buffer.alloc(BUFFER_BYTES);
  #filled = 0;
  #failure: Failure | undefined;

  /** @param interfaceName what the packets went through, as it was called. */
  constructor(path: string, interfaceName: string) {
    this.#path = path;
    try {
      this.#fd = openSync(path, 'w');
    } catch (error) {
      throw this.#failed(error);
    }
    const section = Buffer.alloc(16);
    section.writeUInt32LE(BYTE_ORDER_MAGIC, 0);
    section.writeUInt16LE(1, 4);
    section.fill(0xff, 8); // the section's length: not known
    this.#block(SECTION_HEADER, section, []);
    const description = Buffer.alloc(8);
    description.writeUInt16LE(LINK_TYPE_RAW, 0);
    this.#block(INTERFACE_DESCRIPTION, description, [[OPTION_INTERFACE_NAME, Buffer.from(interfaceName)]]);
    this.flush();
    if (this.#failure) throw this.#failure;
  }

  /** Why nothing is written any more. */
  get failure(): Failure | undefined {
    return this.#failure;
  }

  /** @param direction `out`: the machine sent it. */
  write(direction: 'in' | 'out', packet: Uint8Array, comment?: string): void {
    const body = Buffer.alloc(20 + padded(packet.length));
    const at = Math.round((performance.timeOrigin + performance.now()) * 1_000);
    body.writeUInt32LE(Math.floor(at / 2 ** 32), 4);
    body.writeUInt32LE(at % 2 ** 32, 8);
    body.writeUInt32LE(packet.length, 12);
    body.writeUInt32LE(packet.length, 16);
    body.set(packet, 20);
    const flags = Buffer.from([direction === 'in' ? INBOUND : OUTBOUND, 0, 0, 0]);
    const options: Option[] = [[OPTION_FLAGS, flags]];
    if (comment !== undefined) options.push([OPTION_COMMENT, Buffer.from(comment)]);
    this.#block(ENHANCED_PACKET, body, options);
  }

  /** What was written so far is in the file then. */
  flush(): void {
    const filled = this.#filled;
    this.#filled = 0;
    this.#append(this.#buffer.subarray(0, filled));
  }

  close(): void {
    this.flush();
    closeSync(this.#fd);
  }

  /** Type, length, body, options, and the length again. @param body a multiple of four bytes */
  #block(type: number, body: Buffer, options: readonly Option[]): void {
    let length = 12 + body.length;
    for (const [, value] of options) length += 4 + padded(value.length);
    if (options.length > 0) length += 4;
    if (this.#filled + length > BUFFER_BYTES) this.flush();
    const block = this.#buffer.subarray(this.#filled, this.#filled + length).fill(0);
    this.#filled += length;
    block.writeUInt32LE(type, 0);
    block.writeUInt32LE(length, 4);
    block.set(body, 8);
    let offset = 8 + body.length;
    for (const [code, value] of options) {
      block.writeUInt16LE(code, offset);
      block.writeUInt16LE(value.length, offset + 2);
      block.set(value, offset + 4);
      offset += 4 + padded(value.length);
    }
    block.writeUInt32LE(length, length - 4);
  }

  #append(bytes: Uint8Array): void {
    if (this.#failure) return;
    try {
      for (let written = 0; written < bytes.length; ) written += writeSync(this.#fd, bytes, written);
    } catch (error) {
      this.#failure = this.#failed(error);
    }
  }

  #failed(error: unknown): Failure {
    return new Failure(`cannot write the capture ${this.#path}: ${causeOf(error)}`);
  }
}

const padded = (length: number): number => (length + 3) & ~3;
