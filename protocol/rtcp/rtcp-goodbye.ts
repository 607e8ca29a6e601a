import { assert } from '../base/assert.ts';
import { readUint32, writeUint32 } from '../base/big-endian.ts';
import { malformed, type Parsed, parsed } from '../base/parsed.ts';
import { utf8Bytes, utf8Text } from '../base/text-codec.ts';
import { RTCP_HEADER_BYTES, RTCP_TYPE, type RtcpBlock, wholeWords, writeRtcpHeader } from './rtcp-block.ts';

/**
 * Goodbye (RFC 3550 §6.6): the header, then
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |                      SSRCs that leave ...                     |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |     length    |   reason for leaving, up to a whole word ...
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
export interface Goodbye {
  readonly kind: 'goodbye';
  /** At most 31. */
  readonly ssrcs: readonly number[];
  /** At most 255 bytes of UTF-8; empty when no reason is given. */
  readonly reason: string;
}

const REASON_BYTES_MAX = 255;

export function parseGoodbye({ count, bytes, bodyAt, bodyEnd }: RtcpBlock): Parsed<Goodbye> {
  const body = bytes.subarray(bodyAt, bodyEnd);
  const reasonOffset = count * 4;
  if (reasonOffset > body.length) return malformed('goodbye-truncated');
  const ssrcs: number[] = [];
  for (let offset = 0; offset < reasonOffset; offset += 4) ssrcs.push(readUint32(body, offset));
  const start = reasonOffset + 1;
  const end = start + (body[reasonOffset] ?? 0);
  if (reasonOffset < body.length && end > body.length) return malformed('goodbye-truncated');
  return parsed({ kind: 'goodbye', ssrcs, reason: utf8Text(body.subarray(start, end)) });
}

/** Size of the whole packet. */
export const goodbyeBytes = ({ ssrcs, reason }: Goodbye): number =>
  RTCP_HEADER_BYTES + ssrcs.length * 4 + (reason === '' ? 0 : wholeWords(1 + utf8Bytes(reason).length));

/** @param target must be zeroed. */
export function writeGoodbye(target: Uint8Array, offset: number, packet: Goodbye): void {
  const { ssrcs, reason } = packet;
  const text = utf8Bytes(reason);
  assert(text.length <= REASON_BYTES_MAX, 'the length of a reason must fit in 8 bits');
  const bodyBytes = goodbyeBytes(packet) - RTCP_HEADER_BYTES;
  let at = writeRtcpHeader(target, offset, { count: ssrcs.length, packetType: RTCP_TYPE.goodbye, bodyBytes });
  for (const ssrc of ssrcs) {
    writeUint32(target, at, ssrc);
    at += 4;
  }
  if (text.length === 0) return;
  target[at] = text.length;
  target.set(text, at + 1);
}
