import { readUint16, readUint32, writeUint16, writeUint32 } from '../base/big-endian.ts';
import { malformed, type Parsed, parsed } from '../base/parsed.ts';
import { RTP_HEADER_BYTES } from './rtp-packet.ts';

/**
 * Payload of a packet of parity (RFC 5109 §7.3, §7.4) with its first level; further levels protect less.
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |E|L|P|X|  CC   |M| PT recovery |            SN base            |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |                          TS recovery                          |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |        length recovery        |       protection length       |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |             mask              |  mask cont. (present if L = 1)|
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
export interface ParityPacket {
  /** Wire sequence numbers of the media packets that it covers, oldest first. */
  readonly sequences: readonly number[];
  /** Header fields of the covered packets, by parity: two bytes, timestamp, length. */
  readonly header: Uint8Array;
  readonly timestamp: number;
  readonly length: number;
  /** Parity of the bytes behind the fixed headers of the covered packets. */
  readonly body: Uint8Array;
}

const FEC_HEADER_BYTES = 10;
const LEVEL_HEADER_BYTES = 4;
const LONG_LEVEL_HEADER_BYTES = 8;

/** Reads the payload of a parity packet. */
export function parseParityPacket(payload: Uint8Array): Parsed<ParityPacket> {
  if (payload.length < FEC_HEADER_BYTES + LEVEL_HEADER_BYTES) return malformed('fec-too-short');
  if (payload[0]! >= 0x80) return malformed('fec-extension');
  const isLong = (payload[0]! & 0x40) !== 0;
  const bodyAt = FEC_HEADER_BYTES + (isLong ? LONG_LEVEL_HEADER_BYTES : LEVEL_HEADER_BYTES);
  const bytes = readUint16(payload, FEC_HEADER_BYTES);
  if (payload.length < bodyAt + bytes) return malformed('fec-too-short');
  const base = readUint16(payload, 2);
  const sequences: number[] = [];
  for (let bit = 0; bit < (isLong ? 48 : 16); bit++) {
    const byte = payload[FEC_HEADER_BYTES + 2 + (bit >> 3)]!;
    if ((byte & (0x80 >> (bit & 7))) !== 0) sequences.push((base + bit) & 0xffff);
  }
  if (sequences.length === 0) return malformed('fec-covers-nothing');
  return parsed({
    sequences,
    header: payload.subarray(0, 2),
    timestamp: readUint32(payload, 4),
    length: readUint16(payload, 8),
    body: payload.subarray(bodyAt, bodyAt + bytes),
  });
}

/**
 * Returns the one covered packet that is missing (RFC 5109 §9.2); `undefined` when the parity does not reach to its end, or when
 * the result cannot be a packet.
 * @param others the other packets that it covers.
 */
export function recoverPacket(
  parity: ParityPacket,
  others: readonly Uint8Array[],
  missing: { readonly sequence: number; readonly ssrc: number },
): Uint8Array | undefined {
  let [first, second] = [parity.header[0]!, parity.header[1]!];
  let { timestamp, length } = parity;
  for (const other of others) {
    first ^= other[0]!;
    second ^= other[1]!;
    timestamp ^= readUint32(other, 4);
    length ^= other.length - RTP_HEADER_BYTES;
  }
  if (length > parity.body.length) return undefined;
  const packet = new Uint8Array(RTP_HEADER_BYTES + length);
  packet[0] = 0x80 | (first & 0x3f);
  packet[1] = second;
  writeUint16(packet, 2, missing.sequence);
  writeUint32(packet, 4, timestamp >>> 0);
  writeUint32(packet, 8, missing.ssrc);
  packet.set(parity.body.subarray(0, length), RTP_HEADER_BYTES);
  for (const other of others) {
    const end = Math.min(other.length, packet.length);
    for (let at = RTP_HEADER_BYTES; at < end; at++) packet[at]! ^= other[at]!;
  }
  return packet;
}

/** Returns a packet of padding in the place of a parity packet, which has a sequence number of the media. */
export function paddingInPlaceOf(parity: Uint8Array, payloadType: number): Uint8Array {
  const packet = parity.slice(0, RTP_HEADER_BYTES);
  packet[0] = 0x80;
  packet[1] = payloadType;
  return packet;
}
