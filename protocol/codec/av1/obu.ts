/** Types of open bitstream units (AV1 specification §6.2.2). */
export const OBU_TYPE = {
  sequenceHeader: 1,
  temporalDelimiter: 2,
  frameHeader: 3,
  tileGroup: 4,
  metadata: 5,
  frame: 6,
  redundantFrameHeader: 7,
  tileList: 8,
  padding: 15,
} as const;

const FORBIDDEN = 0x80;
const EXTENSION = 0x04;
const HAS_SIZE = 0x02;
const RESERVED = 0x01;
/** Longest leb128 (§4.10.5), and its largest value. */
const LEB128_BYTES_MAX = 8;
const LEB128_MAX = 0xffff_ffff;

/**
 * Returns the type of an OBU (§5.3.2); `undefined` when the header is not valid.
 *
 *      0 1 2 3 4 5 6 7
 *     +-+-+-+-+-+-+-+-+
 *     |0| type  |X|S|0|  X: an extension byte follows; S: then the size of the rest, leb128
 *     +-+-+-+-+-+-+-+-+
 */
export function obuType(obu: Uint8Array, at = 0): number | undefined {
  const header = obu[at];
  if (header === undefined || (header & (FORBIDDEN | RESERVED)) !== 0) return undefined;
  return (header >> 3) & 15;
}

/** Returns the temporal and spatial layer of an OBU, and the index of its first byte after the header. */
export function obuHeader(obu: Uint8Array): {
  readonly temporalLayer: number;
  readonly spatialLayer: number;
  readonly bodyAt: number;
} {
  if (((obu[0] ?? 0) & EXTENSION) === 0) return { temporalLayer: 0, spatialLayer: 0, bodyAt: 1 };
  const extension = obu[1] ?? 0;
  return { temporalLayer: extension >> 5, spatialLayer: (extension >> 3) & 3, bodyAt: 2 };
}

/** Number and length of a leb128 (§4.10.5). */
export interface Leb128 {
  readonly value: number;
  readonly bytes: number;
}

/** Reads a leb128; `undefined` when it goes beyond `end` or is too large. */
export function readLeb128(bytes: Uint8Array, at: number, end = bytes.length): Leb128 | undefined {
  let value = 0;
  for (let index = 0; index < LEB128_BYTES_MAX && at + index < end; index++) {
    const byte = bytes[at + index]!;
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (value > LEB128_MAX) return undefined;
    if ((byte & 0x80) === 0) return { value, bytes: index + 1 };
  }
  return undefined;
}

/** Length of a number as leb128. */
export function leb128Bytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}

/** Writes a number as leb128, as short as possible; returns the index after it. */
export function writeLeb128(into: Uint8Array, at: number, value: number): number {
  let [rest, next] = [value, at];
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) into[next++] = (rest % 128) | 0x80;
  into[next++] = rest;
  return next;
}

/**
 * Splits a temporal unit of the low-overhead format (§5.2) into its OBUs, without sizes and temporal delimiters, as RTP
 * carries them. Ends before the first OBU that is not valid.
 */
export function splitTemporalUnit(bytes: Uint8Array): Uint8Array[] {
  const obus: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const type = obuType(bytes, at);
    if (type === undefined) break;
    const { bodyAt } = obuHeader(bytes.subarray(at));
    const hasSize = (bytes[at]! & HAS_SIZE) !== 0;
    const size = hasSize ? readLeb128(bytes, at + bodyAt) : { value: bytes.length - at - bodyAt, bytes: 0 };
    if (!size || size.value < 0) break;
    const from = at + bodyAt + size.bytes;
    const end = from + size.value;
    if (end > bytes.length) break;
    if (type !== OBU_TYPE.temporalDelimiter) {
      const obu = new Uint8Array(bodyAt + size.value);
      obu.set(bytes.subarray(at, at + bodyAt));
      obu[0]! &= ~HAS_SIZE;
      obu.set(bytes.subarray(from, end), bodyAt);
      obus.push(obu);
    }
    at = end;
  }
  return obus;
}

/** Joins OBUs without sizes to a temporal unit of the low-overhead format, without a temporal delimiter. */
export function joinTemporalUnit(obus: readonly Uint8Array[]): Uint8Array {
  const sized = obus.filter((obu) => obu.length >= obuHeader(obu).bodyAt);
  const bytesOf = (obu: Uint8Array): number => obu.length + leb128Bytes(obu.length - obuHeader(obu).bodyAt);
  const joined = new Uint8Array(sized.reduce((sum, obu) => sum + bytesOf(obu), 0));
  let at = 0;
  for (const obu of sized) {
    const { bodyAt } = obuHeader(obu);
    joined.set(obu.subarray(0, bodyAt), at);
    joined[at]! |= HAS_SIZE;
    at = writeLeb128(joined, at + bodyAt, obu.length - bodyAt);
    joined.set(obu.subarray(bodyAt), at);
    at += obu.length - bodyAt;
  }
  return joined;
}

/** Returns an OBU without its size field, if it has a valid one; otherwise the same. */
export const withoutSize = (obu: Uint8Array): Uint8Array =>
  ((obu[0] ?? 0) & HAS_SIZE) === 0 ? obu : (splitTemporalUnit(obu)[0] ?? obu);
