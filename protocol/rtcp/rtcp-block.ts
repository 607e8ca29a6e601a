import { assert } from '../base/assert.ts';
import { writeUint16 } from '../base/big-endian.ts';

/**
 * One RTCP packet of a compound, with its header parsed (RFC 3550 §6.4, RFC 4585 §6.1).
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |V=2|P|  count  |  packet type  |     length, words - 1         |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |                           body ...                            |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
export interface RtcpBlock {
  /** Number of reports, chunks or sources that follow, or subtype, or feedback message type: 0…31. */
  readonly count: number;
  readonly packetType: number;
  /** Body without header and padding, a whole number of 32-bit words: `bytes[start…end]`. */
  readonly bytes: Uint8Array;
  readonly bodyAt: number;
  readonly bodyEnd: number;
}

/** RFC 3550 §12.1, RFC 4585 §6.1, RFC 3611 §2. */
export const RTCP_TYPE = {
  senderReport: 200,
  receiverReport: 201,
  sourceDescription: 202,
  goodbye: 203,
  application: 204,
  transportFeedback: 205,
  payloadFeedback: 206,
  extendedReport: 207,
} as const;

export const RTCP_HEADER_BYTES = 4;

/** Largest value of the five-bit count. */
export const RTCP_COUNT_MAX = 31;

/** Writes the four bytes of a header. @returns the offset of the body. */
export function writeRtcpHeader(
  target: Uint8Array,
  offset: number,
  { count, packetType, bodyBytes }: { readonly count: number; readonly packetType: number; readonly bodyBytes: number },
): number {
  assert(count <= RTCP_COUNT_MAX, 'an RTCP count must fit in 5 bits');
  assert(bodyBytes % 4 === 0, 'the length of an RTCP body must be a multiple of 4 bytes');
  assert(bodyBytes / 4 <= 0xffff, 'an RTCP length must fit in 16 bits');
  target[offset] = 0x80 | count;
  target[offset + 1] = packetType;
  writeUint16(target, offset + 2, bodyBytes / 4);
  return offset + RTCP_HEADER_BYTES;
}

/** Rounds up to a multiple of four. */
export const wholeWords = (bytes: number): number => Math.ceil(bytes / 4) * 4;
