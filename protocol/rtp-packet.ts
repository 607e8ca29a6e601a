import { assert } from './assert.ts';
import { readUint16, readUint32, writeUint16, writeUint32 } from './big-endian.ts';
import { malformed, type Parsed } from './parsed.ts';
import type { WireSequence, WireTimestamp } from './sequence.ts';

/**
 * An RTP packet (RFC 3550 §5.1, the extension §5.3.1).
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |V=2|P|X|  CC   |M|     PT      |       sequence number         |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |                           timestamp                           |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |           synchronization source (SSRC) identifier            |
 *    +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
 *    |            contributing source (CSRC) identifiers, CC of them |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |      X: defined by profile    |     length, 32-bit words      |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |                       header extension ...                    |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |  payload ...                  P: padding ...  |padding count  |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
export interface RtpPacket {
  /** The last packet of a frame (RFC 6184 §5.1). */
  readonly marker: boolean;
  /** 0…127. */
  readonly payloadType: number;
  readonly sequenceNumber: WireSequence;
  readonly timestamp: WireTimestamp;
  /** 0…2^32-1. */
  readonly ssrc: number;
  /** At most 15. */
  readonly csrcs: readonly number[];
  readonly extension?: HeaderExtension | undefined;
  /** Without the padding; may be empty. */
  readonly payload: Uint8Array;
}

export interface HeaderExtension {
  /** 0…65535; 0xBEDE and 0x1000…0x100F are RFC 8285's. */
  readonly profile: number;
  /** Without the four bytes of profile and length; its length is a multiple of four. */
  readonly data: Uint8Array;
}

/** What stands in the twelve bytes that each packet begins with. */
export interface RtpHeader extends Omit<RtpPacket, 'csrcs' | 'extension' | 'payload'> {
  /** A header extension follows. */
  readonly extension: boolean;
}

export const RTP_HEADER_BYTES = 12;

/** Bytes of an extension before its data: profile and length. */
export const EXTENSION_HEADER_BYTES = 4;

const CSRCS_MAX = 15;
const NO_CSRCS: readonly number[] = [];

/** The packet's extension and payload are views of the datagram: whoever keeps them keeps it. */
export function parseRtpPacket(datagram: Uint8Array): Parsed<RtpPacket> {
  const length = datagram.length;
  if (length < RTP_HEADER_BYTES) return malformed('too-short');
  const first = datagram[0]!;
  if (first >> 6 !== 2) return malformed('version');

  const csrcCount = first & 0x0f;
  let offset = RTP_HEADER_BYTES + csrcCount * 4;
  if (offset > length) return malformed('csrcs-cut');
  const csrcs = csrcCount === 0 ? NO_CSRCS : readCsrcs(datagram, csrcCount);

  let extension: HeaderExtension | undefined;
  if ((first & 0x10) !== 0) {
    if (offset + EXTENSION_HEADER_BYTES > length) return malformed('extension-cut');
    const start = offset + EXTENSION_HEADER_BYTES;
    const end = start + readUint16(datagram, offset + 2) * 4;
    if (end > length) return malformed('extension-cut');
    extension = { profile: readUint16(datagram, offset), data: datagram.subarray(start, end) };
    offset = end;
  }

  let end = length;
  if ((first & 0x20) !== 0) {
    const padding = datagram[length - 1]!;
    if (padding === 0) return malformed('padding-zero');
    end -= padding;
    if (end < offset) return malformed('padding-beyond-payload');
  }

  const marker = datagram[1]! >= 0x80;
  const payloadType = datagram[1]! & 0x7f;
  const sequenceNumber = readUint16(datagram, 2);
  const timestamp = readUint32(datagram, 4);
  const ssrc = readUint32(datagram, 8);
  const payload = datagram.subarray(offset, end);
  // A literal, not a spread: this runs for each of some 50,000 packets a second.
  return { ok: true, value: { marker, payloadType, sequenceNumber, timestamp, ssrc, csrcs, payload, extension } };
}

function readCsrcs(datagram: Uint8Array, count: number): number[] {
  const csrcs: number[] = [];
  for (let index = 0; index < count; index++) csrcs.push(readUint32(datagram, RTP_HEADER_BYTES + index * 4));
  return csrcs;
}

/** The packet with its padding taken off: a copy where there is some, else the datagram itself. */
export function withoutPadding(datagram: Uint8Array): Uint8Array {
  const first = datagram[0]!;
  if ((first & PADDING) === 0) return datagram;
  const packet = datagram.slice(0, datagram.length - datagram.at(-1)!);
  packet[0] = first & ~PADDING;
  return packet;
}

/** The P bit. */
const PADDING = 0x20;

/** Writes the first twelve bytes of a packet without contributing sources and padding, in place. */
export function writeRtpHeader(target: Uint8Array, header: RtpHeader): void {
  target[0] = header.extension ? 0x90 : 0x80;
  target[1] = (header.marker ? 0x80 : 0) | header.payloadType;
  writeUint16(target, 2, header.sequenceNumber);
  writeUint32(target, 4, header.timestamp);
  writeUint32(target, 8, header.ssrc);
}

/** A new datagram, without padding. The sender's fast path writes headers in place instead (`writeRtpHeader`). */
export function serializeRtpPacket(packet: RtpPacket): Uint8Array {
  const { csrcs, extension, payload } = packet;
  assert(packet.payloadType >= 0, 'a payload type has seven bits');
  assert(packet.payloadType <= 0x7f, 'a payload type has seven bits');
  assert(csrcs.length <= CSRCS_MAX, 'the CSRC count has four bits');
  const extensionBytes = extension === undefined ? 0 : EXTENSION_HEADER_BYTES + extension.data.length;
  assert(extensionBytes % 4 === 0, 'an extension is counted in words');
  assert(extensionBytes <= EXTENSION_HEADER_BYTES + 0xffff * 4, 'the count of extension words has sixteen bits');

  const datagram = new Uint8Array(RTP_HEADER_BYTES + csrcs.length * 4 + extensionBytes + payload.length);
  const { marker, payloadType, sequenceNumber, timestamp, ssrc } = packet;
  // Each field by name, here and in the callers: a spread takes longer than all the rest of a packet.
  writeRtpHeader(datagram, {
    marker,
    payloadType,
    sequenceNumber,
    timestamp,
    ssrc,
    extension: extension !== undefined,
  });
  datagram[0] = datagram[0]! | csrcs.length;
  let offset = RTP_HEADER_BYTES;
  for (const csrc of csrcs) {
    writeUint32(datagram, offset, csrc);
    offset += 4;
  }
  if (extension !== undefined) {
    writeUint16(datagram, offset, extension.profile);
    writeUint16(datagram, offset + 2, extension.data.length / 4);
    datagram.set(extension.data, offset + EXTENSION_HEADER_BYTES);
    offset += extensionBytes;
  }
  datagram.set(payload, offset);
  return datagram;
}
