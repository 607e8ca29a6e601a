import { assert } from '../../protocol/base/assert.ts';
import { readUint16, readUint32, writeUint16, writeUint32 } from '../../protocol/base/big-endian.ts';
import { malformed, type Parsed, parsed } from '../../protocol/base/parsed.ts';
import type { WireByteSequence } from './byte-sequence.ts';
import { optionBytes, readOptions, type TcpOptions, writeOptions } from './segment-options.ts';

/** Control bits (RFC 9293 §3.1). */
export const FIN = 0x01;
export const SYN = 0x02;
export const RST = 0x04;
export const PSH = 0x08;
export const ACK = 0x10;

/**
 * A TCP segment (RFC 9293 §3.1), without the IP header:
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |          Source Port          |       Destination Port        |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |                        Sequence Number                        |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |                    Acknowledgment Number                      |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    | Offset| Rsrvd | Control Bits  |            Window             |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |           Checksum            |         Urgent Pointer        |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |                    Options, then the data ...                 |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
export interface TcpSegment {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly sequence: WireByteSequence;
  /** Valid only when `flags` contains ACK. */
  readonly acknowledgment: WireByteSequence;
  readonly flags: number;
  /** As on the wire, 0 … 65535, before scaling. */
  readonly window: number;
  readonly options: TcpOptions;
  readonly payload: Uint8Array;
}

export const TCP_HEADER_BYTES = 20;

const PROTOCOL_TCP = 6;
/**
 * Sum of the checksum's pseudo-header (RFC 9293 §3.1) for 192.0.2.1 and 192.0.2.2 (RFC 5737), the same in both
 * directions.
 */
const PSEUDO_HEADER_SUM = 2 * (0xc000 + 0x0200) + 1 + 2 + PROTOCOL_TCP;

export function serializeSegment(segment: TcpSegment): Uint8Array {
  const headerBytes = TCP_HEADER_BYTES + optionBytes(segment.options);
  assert(headerBytes <= 60, 'a TCP header must not exceed 60 bytes');
  const bytes = new Uint8Array(headerBytes + segment.payload.length);
  writeUint16(bytes, 0, segment.sourcePort);
  writeUint16(bytes, 2, segment.destinationPort);
  writeUint32(bytes, 4, segment.sequence);
  writeUint32(bytes, 8, segment.acknowledgment);
  bytes[12] = (headerBytes / 4) << 4;
  bytes[13] = segment.flags;
  writeUint16(bytes, 14, segment.window);
  writeOptions(bytes, TCP_HEADER_BYTES, segment.options);
  bytes.set(segment.payload, headerBytes);
  writeUint16(bytes, 16, ~checksum(bytes) & 0xffff);
  return bytes;
}

/** Parses a segment. The payload is a view into `bytes`. */
export function parseSegment(bytes: Uint8Array): Parsed<TcpSegment> {
  if (bytes.length < TCP_HEADER_BYTES) return malformed('too-short');
  const headerBytes = (bytes[12]! >> 4) * 4;
  if (headerBytes < TCP_HEADER_BYTES || headerBytes > bytes.length) return malformed('data-offset');
  if (checksum(bytes) !== 0xffff) return malformed('checksum');
  const options = readOptions(bytes, TCP_HEADER_BYTES, headerBytes);
  if (options === undefined) return malformed('options');
  return parsed({
    sourcePort: readUint16(bytes, 0),
    destinationPort: readUint16(bytes, 2),
    sequence: readUint32(bytes, 4),
    acknowledgment: readUint32(bytes, 8),
    flags: bytes[13]!,
    window: readUint16(bytes, 14),
    options,
    payload: bytes.subarray(headerBytes),
  });
}

/** True on little-endian machines. */
const LOW_BYTE_FIRST = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/**
 * Ones' complement sum over pseudo-header and segment, not inverted (RFC 1071). Sums machine words and swaps once at
 * the end (§2B), because the checksum dominates the cost of a segment.
 */
function checksum(bytes: Uint8Array): number {
  const words = bytes.length >> 1;
  const aligned = (bytes.byteOffset & 1) === 0 ? bytes : bytes.slice();
  const view = new Uint16Array(aligned.buffer, aligned.byteOffset, words);
  // The sum cannot overflow: at most 2^15 words of 16 bits.
  let sum = 0;
  for (let word = 0; word < words; word++) sum += view[word]!;
  sum = folded(sum);
  if (LOW_BYTE_FIRST) sum = ((sum & 0xff) << 8) | (sum >> 8);
  if (bytes.length & 1) sum += bytes[bytes.length - 1]! << 8;
  return folded(sum + PSEUDO_HEADER_SUM + bytes.length);
}

function folded(sum: number): number {
  const once = (sum & 0xffff) + (sum >>> 16);
  return (once & 0xffff) + (once >>> 16);
}
