import { malformed, type Parsed, parsed } from '../base/parsed.ts';

/** A packet of a capture file. */
export interface CapturedPacket {
  /** Time of capture, microseconds since 1970, with fraction when the file has nanoseconds. */
  readonly atUs: number;
  /** Link-layer type (LINKTYPE_…), which says how `bytes` begins. */
  readonly linkType: number;
  /** Number of the interface within its section; 0 in the classic format. */
  readonly interfaceIndex: number;
  /** Captured bytes; a view that is valid until the next call of the parser. */
  readonly bytes: Uint8Array;
  /** Length of the packet on the wire, bytes; larger than `bytes` when the capture was truncated. */
  readonly wireBytes: number;
}

interface Interface {
  readonly linkType: number;
  /** Units of the timestamp per second. */
  readonly unitsPerSecond: number;
  /** Seconds added to each timestamp. */
  readonly offsetSeconds: number;
}

/** A block or packet that is longer than this is not one; tcpdump's largest snapshot length is 262,144. */
const BLOCK_BYTES_MAX = 16 << 20;
const PCAP_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;
const PCAP_MAGIC = 0xa1b2c3d4;
const PCAP_NANOSECOND_MAGIC = 0xa1b23c4d;
const SECTION_HEADER = 0x0a0d0d0a;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const INTERFACE_DESCRIPTION = 1;
const OBSOLETE_PACKET = 2;
const SIMPLE_PACKET = 3;
const ENHANCED_PACKET = 6;
const OPTION_RESOLUTION = 9;
const OPTION_TIME_OFFSET = 14;
const INTERFACES_MAX = 4_096;

/**
 * Parses a capture in the classic pcap format (draft-ietf-opsawg-pcap, either byte order, micro- and nanoseconds) or in
 * pcapng (draft-ietf-opsawg-pcapng), from chunks of any size. Memory is bounded by one chunk and one block.
 */
export class CaptureParser {
  #rest: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  #at = 0;
  #consumed = 0;
  #format: 'unknown' | 'pcap' | 'pcapng' = 'unknown';
  #little = true;
  #classic: Interface | undefined;
  #interfaces: Interface[] = [];

  /** Appends bytes of the file; take all packets before the next chunk. */
  push(chunk: Uint8Array): void {
    const left = this.#rest.length - this.#at;
    this.#consumed += this.#at;
    if (left === 0) this.#rest = chunk;
    else {
      const joined = new Uint8Array(left + chunk.length);
      joined.set(this.#rest.subarray(this.#at));
      joined.set(chunk, left);
      this.#rest = joined;
    }
    this.#at = 0;
    this.#view = new DataView(this.#rest.buffer, this.#rest.byteOffset, this.#rest.length);
  }

  /** Bytes that were pushed and belong to no complete block: after the last chunk, those of a file cut short. */
  get unread(): number {
    return this.#rest.length - this.#at;
  }

  /** Returns the next packet, or `undefined` when more bytes are needed; malformed files name the byte. */
  next(): Parsed<CapturedPacket | undefined> {
    for (;;) {
      if (this.#format === 'unknown') {
        const opened = this.#open();
        if (!opened.ok || !opened.value) return opened.ok ? parsed(undefined) : opened;
      }
      const read = this.#format === 'pcap' ? this.#record() : this.#block();
      if (read !== 'skipped') return read;
    }
  }

  /** Recognizes the format. @returns false when more bytes are needed. */
  #open(): Parsed<boolean> {
    if (this.unread < 4) return parsed(false);
    const first = this.#view.getUint32(this.#at, true);
    if (first === SECTION_HEADER) {
      this.#format = 'pcapng';
      return parsed(true);
    }
    for (const little of [true, false]) {
      const magic = this.#view.getUint32(this.#at, little);
      if (magic !== PCAP_MAGIC && magic !== PCAP_NANOSECOND_MAGIC) continue;
      if (this.unread < PCAP_HEADER_BYTES) return parsed(false);
      this.#little = little;
      this.#classic = {
        linkType: this.#view.getUint32(this.#at + 20, little) & 0xffff,
        unitsPerSecond: magic === PCAP_MAGIC ? 1e6 : 1e9,
        offsetSeconds: 0,
      };
      this.#format = 'pcap';
      this.#at += PCAP_HEADER_BYTES;
      return parsed(true);
    }
    return malformed('it begins neither as pcap nor as pcapng');
  }

  #record(): Parsed<CapturedPacket | undefined> {
    if (this.unread < RECORD_HEADER_BYTES) return parsed(undefined);
    const at = this.#at;
    const length = this.#view.getUint32(at + 8, this.#little);
    if (length > BLOCK_BYTES_MAX) return this.#wrong(`a packet of ${length} bytes`);
    if (this.unread < RECORD_HEADER_BYTES + length) return parsed(undefined);
    this.#at += RECORD_HEADER_BYTES + length;
    const { unitsPerSecond, linkType } = this.#classic!;
    const seconds = this.#view.getUint32(at, this.#little);
    return parsed({
      atUs: seconds * 1e6 + (this.#view.getUint32(at + 4, this.#little) * 1e6) / unitsPerSecond,
      linkType,
      interfaceIndex: 0,
      bytes: this.#rest.subarray(at + RECORD_HEADER_BYTES, this.#at),
      wireBytes: this.#view.getUint32(at + 12, this.#little),
    });
  }

  #block(): Parsed<CapturedPacket | undefined> | 'skipped' {
    if (this.unread < 12) return parsed(undefined);
    const at = this.#at;
    const isSection = this.#view.getUint32(at, true) === SECTION_HEADER;
    if (isSection) {
      if (this.#view.getUint32(at + 8, true) === BYTE_ORDER_MAGIC) this.#little = true;
      else if (this.#view.getUint32(at + 8, false) === BYTE_ORDER_MAGIC) this.#little = false;
      else return this.#wrong('a section without byte-order magic');
    }
    const length = this.#view.getUint32(at + 4, this.#little);
    if (length < 12 || length % 4 !== 0 || length > BLOCK_BYTES_MAX) return this.#wrong(`a block of ${length} bytes`);
    if (this.unread < length) return parsed(undefined);
    this.#at += length;
    const type = this.#view.getUint32(at, this.#little);
    if (isSection) this.#interfaces = [];
    else if (type === INTERFACE_DESCRIPTION) return this.#describe(at + 8, at + length - 4);
    else if (type === ENHANCED_PACKET || type === OBSOLETE_PACKET || type === SIMPLE_PACKET) {
      return this.#packet(type, at + 8, at + length - 4);
    }
    return 'skipped';
  }

  #describe(start: number, end: number): 'skipped' | Parsed<undefined> {
    if (end - start < 8) return this.#wrong('an interface description that is too short', start - 8);
    if (this.#interfaces.length === INTERFACES_MAX) return this.#wrong(`more than ${INTERFACES_MAX} interfaces`);
    let unitsPerSecond = 1e6;
    let offsetSeconds = 0;
    for (let at = start + 8; at + 4 <= end; ) {
      const code = this.#view.getUint16(at, this.#little);
      const length = this.#view.getUint16(at + 2, this.#little);
      if (code === 0 || at + 4 + length > end) break;
      if (code === OPTION_RESOLUTION && length >= 1) {
        const resolution = this.#view.getUint8(at + 4);
        unitsPerSecond = resolution & 0x80 ? 2 ** (resolution & 0x7f) : 10 ** resolution;
      }
      if (code === OPTION_TIME_OFFSET && length === 8) {
        offsetSeconds = Number(this.#view.getBigInt64(at + 4, this.#little));
      }
      at += 4 + ((length + 3) & ~3);
    }
    this.#interfaces.push({
      linkType: this.#view.getUint16(start, this.#little),
      unitsPerSecond,
      offsetSeconds,
    });
    return 'skipped';
  }

  #packet(type: number, start: number, end: number): 'skipped' | Parsed<CapturedPacket | undefined> {
    // A simple packet has no time, so it tells nothing about a path.
    if (type === SIMPLE_PACKET) return 'skipped';
    if (end - start < 20) return this.#wrong('a packet block that is too short', start - 8);
    const number =
      type === ENHANCED_PACKET ? this.#view.getUint32(start, this.#little) : this.#view.getUint16(start, this.#little);
    const from = this.#interfaces[number];
    if (!from) return this.#wrong(`a packet of interface ${number}, which is not described`, start - 8);
    const length = this.#view.getUint32(start + 12, this.#little);
    if (length > end - start - 20) return this.#wrong('a packet that is longer than its block', start - 8);
    const units =
      this.#view.getUint32(start + 4, this.#little) * 2 ** 32 + this.#view.getUint32(start + 8, this.#little);
    return parsed({
      atUs: from.offsetSeconds * 1e6 + units * (1e6 / from.unitsPerSecond),
      linkType: from.linkType,
      interfaceIndex: number,
      bytes: this.#rest.subarray(start + 20, start + 20 + length),
      wireBytes: this.#view.getUint32(start + 16, this.#little),
    });
  }

  #wrong(what: string, at = this.#at) {
    return malformed(`${what} at byte ${this.#consumed + at}`);
  }
}

/** True when a file that begins with these four bytes is a capture in one of both formats. */
export function isCapture(head: Uint8Array): boolean {
  if (head.length < 4) return false;
  const view = new DataView(head.buffer, head.byteOffset);
  const [little, big] = [view.getUint32(0, true), view.getUint32(0, false)];
  return [little, big].some((magic) => [PCAP_MAGIC, PCAP_NANOSECOND_MAGIC, SECTION_HEADER].includes(magic));
}
