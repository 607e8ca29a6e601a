import { assert } from '../base/assert.ts';
import { readUint32, writeUint32 } from '../base/big-endian.ts';
import { malformed, type Parsed, parsed } from '../base/parsed.ts';
import { utf8Bytes, utf8Text } from '../base/text-codec.ts';
import { RTCP_HEADER_BYTES, RTCP_TYPE, type RtcpBlock, wholeWords, writeRtcpHeader } from './rtcp-block.ts';

/**
 * Source description (RFC 3550 §6.5): the header, then for each source
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |                             SSRC                              |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |    CNAME=1    |     length    | user and domain name        ...
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    | further items ...                   |  0, up to a whole word  |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
export interface SourceDescription {
  readonly kind: 'source-description';
  /** At most 31. */
  readonly chunks: readonly SourceDescriptionChunk[];
}

/** Canonical name of one source (RFC 3550 §6.5.1). */
export interface SourceDescriptionChunk {
  readonly ssrc: number;
  /** At most 255 bytes of UTF-8; empty when the chunk has no CNAME. Other items are skipped. */
  readonly cname: string;
}

const CNAME = 1;
const CNAME_BYTES_MAX = 255;

export function parseSourceDescription({ count, bytes, bodyAt, bodyEnd }: RtcpBlock): Parsed<SourceDescription> {
  const body = bytes.subarray(bodyAt, bodyEnd);
  const chunks: SourceDescriptionChunk[] = [];
  let offset = 0;
  for (let index = 0; index < count; index++) {
    if (offset + 8 > body.length) return malformed('source-description-truncated');
    const ssrc = readUint32(body, offset);
    let cname: string | undefined;
    offset += 4;
    for (;;) {
      const item = body[offset];
      if (item === undefined) return malformed('source-description-truncated');
      if (item === 0) break;
      const start = offset + 2;
      const end = start + (body[offset + 1] ?? 0);
      // At least one null byte must end the chunk.
      if (end >= body.length) return malformed('source-description-truncated');
      if (item === CNAME) cname ??= utf8Text(body.subarray(start, end));
      offset = end;
    }
    offset = wholeWords(offset + 1);
    chunks.push({ ssrc, cname: cname ?? '' });
  }
  return parsed({ kind: 'source-description', chunks });
}

/** Size of the whole packet. */
export const sourceDescriptionBytes = ({ chunks }: SourceDescription): number =>
  chunks.reduce((bytes, { cname }) => bytes + chunkBytes(utf8Bytes(cname)), RTCP_HEADER_BYTES);

/** @param target must be zeroed. */
export function writeSourceDescription(target: Uint8Array, offset: number, packet: SourceDescription): void {
  const { chunks } = packet;
  const bodyBytes = sourceDescriptionBytes(packet) - RTCP_HEADER_BYTES;
  const header = { count: chunks.length, packetType: RTCP_TYPE.sourceDescription, bodyBytes };
  let at = writeRtcpHeader(target, offset, header);
  for (const { ssrc, cname } of chunks) {
    const name = utf8Bytes(cname);
    assert(name.length <= CNAME_BYTES_MAX, 'the length of a CNAME must fit in 8 bits');
    writeUint32(target, at, ssrc);
    target[at + 4] = CNAME;
    target[at + 5] = name.length;
    target.set(name, at + 6);
    at += chunkBytes(name);
  }
}

/** Size of a chunk: SSRC, item header, name, and at least one null byte. */
const chunkBytes = (name: Uint8Array): number => wholeWords(4 + 2 + name.length + 1);
