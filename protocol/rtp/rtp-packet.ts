import { assert } from '../base/assert.ts';
import { readUint16, readUint32, writeUint16, writeUint32 } from '../base/big-endian.ts';
import { malformed, type Parsed, parsed } from '../base/parsed.ts';
import { type WireSequence, type WireTimestamp, wireSequence, wireTimestamp } from './sequence.ts';

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
  /** Set on the last packet of a frame (RFC 6184 §5.1). */
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
  /** Payload without padding; may be empty. */
  readonly payload: Uint8Array;
}

export interface HeaderExtension {
  /** 0…65535; RFC 8285 defines 0xBEDE and 0x1000…0x100F. */
  readonly profile: number;
  /** Extension data without the four bytes of profile and length; its length is a multiple of four. */
  readonly data: Uint8Array;
}

/** Fields of the twelve fixed bytes of an RTP header. */
export interface RtpHeader extends Omit<RtpPacket, 'csrcs' | 'extension' | 'payload'> {
  /** True when a header extension follows. */
  readonly extension: boolean;
}

export const RTP_HEADER_BYTES = 12;

/** Bytes of profile and length in front of an extension's data. */
export const EXTENSION_HEADER_BYTES = 4;

/** P bit of the first byte. */
export const RTP_PADDING = 0x20;

const CSRCS_MAX = 15;
const NO_CSRCS: readonly number[] = [];

/**
 * Offsets of a packet's parts in its datagram. One instance serves a whole stream: `read` overwrites it for each
 * packet, so that reading allocates nothing.
 */
export class RtpLayout {
  /** Start and end of the header extension's data; both 0 without an extension. */
  extensionAt = 0;
  extensionEnd = 0;
  /** Start and end of the payload; padding may follow it. */
  payloadAt = 0;
  payloadEnd = 0;

  /** Reads the offsets. @returns the reason when the datagram is not an RTP packet, `undefined` on success. */
  read(datagram: Uint8Array): string | undefined {
    const length = datagram.length;
    if (length < RTP_HEADER_BYTES) return 'too-short';
    const first = datagram[0]!;
    if (first >> 6 !== 2) return 'version';
    let offset = RTP_HEADER_BYTES + (first & 0x0f) * 4;
    if (offset > length) return 'csrcs-truncated';
    this.extensionAt = 0;
    this.extensionEnd = 0;
    if ((first & 0x10) !== 0) {
      const start = offset + EXTENSION_HEADER_BYTES;
      if (start > length) return 'extension-truncated';
      const end = start + readUint16(datagram, offset + 2) * 4;
      if (end > length) return 'extension-truncated';
      this.extensionAt = start;
      this.extensionEnd = end;
      offset = end;
    }
    let end = length;
    if ((first & RTP_PADDING) !== 0) {
      const padding = datagram[length - 1]!;
      if (padding === 0) return 'padding-zero';
      end -= padding;
      if (end < offset) return 'padding-beyond-payload';
    }
    this.payloadAt = offset;
    this.payloadEnd = end;
    return undefined;
  }
}

/** Length of the header in front of the payload, extension included. @param packet a valid RTP packet. */
export function rtpHeaderBytesOf(packet: Uint8Array): number {
  const bytes = RTP_HEADER_BYTES + (packet[0]! & 0x0f) * 4;
  return (packet[0]! & 0x10) === 0 ? bytes : bytes + EXTENSION_HEADER_BYTES + readUint16(packet, bytes + 2) * 4;
}

/** The packet's extension and payload are views of the datagram; retaining them retains the datagram. */
export function parseRtpPacket(datagram: Uint8Array): Parsed<RtpPacket> {
  const layout = new RtpLayout();
  const cause = layout.read(datagram);
  return cause === undefined ? parsed(packetAt(datagram, layout)) : malformed(cause);
}

/** Builds the packet from a layout that has been read. */
export function packetAt(datagram: Uint8Array, layout: RtpLayout): RtpPacket {
  const { extensionAt, extensionEnd, payloadAt, payloadEnd } = layout;
  const csrcCount = datagram[0]! & 0x0f;
  let extension: HeaderExtension | undefined;
  if (extensionAt > 0) {
    const profile = readUint16(datagram, extensionAt - EXTENSION_HEADER_BYTES);
    extension = { profile, data: datagram.subarray(extensionAt, extensionEnd) };
  }
  return {
    marker: datagram[1]! >= 0x80,
    payloadType: datagram[1]! & 0x7f,
    sequenceNumber: wireSequence(readUint16(datagram, 2)),
    timestamp: wireTimestamp(readUint32(datagram, 4)),
    ssrc: readUint32(datagram, 8),
    csrcs: csrcCount === 0 ? NO_CSRCS : readCsrcs(datagram, csrcCount),
    payload: datagram.subarray(payloadAt, payloadEnd),
    extension,
  };
}

function readCsrcs(datagram: Uint8Array, count: number): number[] {
  const csrcs: number[] = [];
  for (let index = 0; index < count; index++) csrcs.push(readUint32(datagram, RTP_HEADER_BYTES + index * 4));
  return csrcs;
}

/** Returns the packet without padding: a copy when there is padding, otherwise the datagram itself. */
export function withoutPadding(datagram: Uint8Array): Uint8Array {
  const first = datagram[0]!;
  if ((first & RTP_PADDING) === 0) return datagram;
  const packet = datagram.slice(0, datagram.length - datagram.at(-1)!);
  packet[0] = first & ~RTP_PADDING;
  return packet;
}

/** Writes the twelve fixed header bytes in place, for a packet without CSRCs and padding. */
export function writeRtpHeader(target: Uint8Array, header: RtpHeader): void {
  target[0] = header.extension ? 0x90 : 0x80;
  target[1] = (header.marker ? 0x80 : 0) | header.payloadType;
  writeUint16(target, 2, header.sequenceNumber);
  writeUint32(target, 4, header.timestamp);
  writeUint32(target, 8, header.ssrc);
}

/** Serializes into a new datagram, without padding. The sender's fast path uses `writeRtpHeader` instead. */
export function serializeRtpPacket(packet: RtpPacket): Uint8Array {
  const { csrcs, extension, payload } = packet;
  assert(packet.payloadType >= 0, 'the payload type must fit in 7 bits');
  assert(packet.payloadType <= 0x7f, 'the payload type must fit in 7 bits');
  assert(csrcs.length <= CSRCS_MAX, 'the CSRC count must fit in 4 bits');
  const extensionBytes = extension === undefined ? 0 : EXTENSION_HEADER_BYTES + extension.data.length;
  assert(extensionBytes % 4 === 0, 'the length of a header extension must be a multiple of 4 bytes');
  assert(
    extensionBytes <= EXTENSION_HEADER_BYTES + 0xffff * 4,
    'the length of a header extension in words must fit in 16 bits',
  );

  const datagram = new Uint8Array(RTP_HEADER_BYTES + csrcs.length * 4 + extensionBytes + payload.length);
  const { marker, payloadType, sequenceNumber, timestamp, ssrc } = packet;
  // Fields are listed one by one, here and in the callers: a spread costs more than the rest of the packet.
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
