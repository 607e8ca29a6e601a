import { assert } from '../../base/assert.ts';
import { malformed, type Parsed, parsed } from '../../base/parsed.ts';
import type { PackedParts, PacketizeOptions, PayloadRange } from '../codec.ts';

/** Bytes of the AU-headers-length and of one AU-header, with AU-size of 13 bits and AU-Index of 3. */
const LENGTH_BYTES = 2;
const HEADER_BYTES = 2;
const INDEX_BITS = 3;
/** Limit of an access unit, bytes (RFC 3640 §3.3.6). */
export const AAC_UNIT_BYTES_MAX = 0x1fff;

/**
 * Payloads in the mode AAC-hbr (RFC 3640 §3.3.6): the AU header section (§3.2.1), then access units. An access unit that
 * does not fit is split; each of its payloads has the size of the whole (§3.2.3.1).
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |  AU-headers-length, in bits   |         AU-size         |index|
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    | access unit, or a fragment of it                              |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
export function packAac(
  parts: readonly Uint8Array[],
  { payloadBytesMax, headroomBytes, allocate = (bytes) => new Uint8Array(bytes) }: PacketizeOptions,
): Uint8Array[] {
  const packets: Uint8Array[] = [];
  const step = payloadBytesMax - LENGTH_BYTES - HEADER_BYTES;
  for (const part of parts) {
    assert(part.length <= AAC_UNIT_BYTES_MAX, 'the length of an AAC access unit must fit in 13 bits');
    for (let at = 0; at < part.length; at += step) {
      const piece = part.subarray(at, at + step);
      const packet = allocate(headroomBytes + LENGTH_BYTES + HEADER_BYTES + piece.length);
      const header = part.length << INDEX_BITS;
      packet.set([0, HEADER_BYTES * 8, header >> 8, header & 0xff], headroomBytes);
      packet.set(piece, headroomBytes + LENGTH_BYTES + HEADER_BYTES);
      packets.push(packet);
    }
  }
  return packets;
}

/** Reads the payloads of packets with the same timestamp: whole access units, one or several each, or fragments of one. */
export function readAac(payloads: readonly PayloadRange[]): Parsed<PackedParts> {
  const ranges: PayloadRange[][] = [];
  let bytes = 0;
  /** Bytes that the current access unit still lacks. */
  let lacking = 0;
  for (const { bytes: buffer, payloadAt, payloadEnd } of payloads) {
    const sizes = readSizes(buffer, payloadAt, payloadEnd);
    if (sizes === undefined) return malformed('aac-headers');
    let at = payloadAt + LENGTH_BYTES + sizes.length * HEADER_BYTES;
    for (const size of sizes) {
      const isFragment = lacking > 0;
      const wanted = isFragment ? lacking : size;
      const end = Math.min(payloadEnd, at + wanted);
      // Only a unit alone in its packets may be split.
      if (end === at || (end < at + wanted && sizes.length > 1)) return malformed('aac-size');
      const range = { bytes: buffer, payloadAt: at, payloadEnd: end };
      if (isFragment) ranges.at(-1)!.push(range);
      else ranges.push([range]);
      lacking = wanted - (end - at);
      bytes += end - at;
      at = end;
    }
    if (at !== payloadEnd) return malformed('aac-size');
  }
  if (lacking > 0 || ranges.length === 0) return malformed('aac-incomplete');
  let parts: Uint8Array[] | undefined;
  return parsed({
    count: ranges.length,
    bytes,
    get parts() {
      parts ??= ranges.map(joined);
      return parts;
    },
  });
}

/** True when the bytes can be a payload: the sizes of its access units add up, or it is a fragment of a single one. */
export function looksLikeAac(payload: Uint8Array): boolean {
  const sizes = readSizes(payload, 0, payload.length);
  if (sizes === undefined) return false;
  const bytes = payload.length - LENGTH_BYTES - sizes.length * HEADER_BYTES;
  const total = sizes.reduce((sum, size) => sum + size, 0);
  return bytes > 0 && (total === bytes || (sizes.length === 1 && total > bytes));
}

function readSizes(bytes: Uint8Array, from: number, end: number): number[] | undefined {
  if (end - from < LENGTH_BYTES + HEADER_BYTES) return undefined;
  const bits = (bytes[from]! << 8) | bytes[from + 1]!;
  const count = bits / (HEADER_BYTES * 8);
  if (bits === 0 || !Number.isInteger(count) || from + LENGTH_BYTES + count * HEADER_BYTES > end) return undefined;
  const sizes: number[] = [];
  for (let index = 0; index < count; index++) {
    const at = from + LENGTH_BYTES + index * HEADER_BYTES;
    const size = ((bytes[at]! << 8) | bytes[at + 1]!) >> INDEX_BITS;
    if (size === 0) return undefined;
    sizes.push(size);
  }
  return sizes;
}

function joined(ranges: readonly PayloadRange[]): Uint8Array {
  const length = ranges.reduce((sum, { payloadAt, payloadEnd }) => sum + payloadEnd - payloadAt, 0);
  const part = new Uint8Array(length);
  let at = 0;
  for (const { bytes, payloadAt, payloadEnd } of ranges) {
    part.set(bytes.subarray(payloadAt, payloadEnd), at);
    at += payloadEnd - payloadAt;
  }
  return part;
}
