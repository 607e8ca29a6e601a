import { readUint32, writeUint32 } from '../base/big-endian.ts';
import { malformed, type Parsed, parsed } from '../base/parsed.ts';
import { type Ticks, ticks } from '../base/units.ts';

/** Bytes before the access unit in a picture message. */
export const PICTURE_HEADER_BYTES = 24;
const KEY = 0x80;
const DECODE_ONLY = 0x40;
const DISCARDABLE = 0x20;
const START_CODE_BYTES = 4;

/**
 * Common part of both kinds of picture messages (`PagePicture`, `LanePicture`). All integers are big-endian:
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |    version    |K|N|D| reserved|      of the message's kind    |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |                            number                             |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |              timestamp, 90 kHz ticks, IEEE 754 double         |
 *    |                                                               |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |              time, milliseconds, IEEE 754 double              |
 *    |                                                               |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |   Annex B: start codes and NAL units; or one block (AV1, VP9) |
 *
 * K: random access point. N: decoded and not shown. D: no other picture refers to it.
 */
export interface PictureHeader {
  readonly number: number;
  readonly key: boolean;
  /** True for a picture that is decoded but not shown. */
  readonly decodeOnly?: boolean;
  /** True for a picture that no other refers to. */
  readonly discardable?: boolean;
  readonly timestamp: Ticks;
  readonly timeMs: number;
}

/** Returns a message with the header and room for a payload; its two bytes of the message's kind are 0. */
export function writeHeader(version: number, header: PictureHeader, payloadBytes: number): Uint8Array {
  const message = new Uint8Array(PICTURE_HEADER_BYTES + payloadBytes);
  const view = new DataView(message.buffer);
  const { key, decodeOnly, discardable } = header;
  message[0] = version;
  message[1] = (key ? KEY : 0) | (decodeOnly ? DECODE_ONLY : 0) | (discardable ? DISCARDABLE : 0);
  writeUint32(message, 4, header.number);
  view.setFloat64(8, header.timestamp);
  view.setFloat64(16, header.timeMs);
  return message;
}

/** Returns a message with a picture in one block; its two bytes of the message's kind are 0. */
export function writeBlock(version: number, header: PictureHeader, block: Uint8Array): Uint8Array {
  const message = writeHeader(version, header, block.length);
  message.set(block, PICTURE_HEADER_BYTES);
  return message;
}

/** Returns a message with a picture as Annex B; its two bytes of the message's kind are 0. */
export function writePicture(version: number, header: PictureHeader, parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += START_CODE_BYTES + part.length;
  const message = writeHeader(version, header, length);
  let offset = PICTURE_HEADER_BYTES;
  for (const part of parts) {
    message[offset + 3] = 1;
    message.set(part, offset + START_CODE_BYTES);
    offset += START_CODE_BYTES + part.length;
  }
  return message;
}

/** Reads a message. The payload is a view of `message`. */
export function readPicture(
  version: number,
  message: Uint8Array,
): Parsed<PictureHeader & { readonly data: Uint8Array }> {
  if (message.length <= PICTURE_HEADER_BYTES) return malformed('too-short');
  if (message[0] !== version) return malformed('unknown-version');
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  const timestamp = view.getFloat64(8);
  const timeMs = view.getFloat64(16);
  if (!Number.isSafeInteger(timestamp)) return malformed('bad-timestamp');
  if (!Number.isFinite(timeMs)) return malformed('bad-time');
  const flags = message[1] ?? 0;
  return parsed({
    number: readUint32(message, 4),
    key: (flags & KEY) !== 0,
    ...((flags & DECODE_ONLY) !== 0 && { decodeOnly: true }),
    ...((flags & DISCARDABLE) !== 0 && { discardable: true }),
    timestamp: ticks(timestamp),
    timeMs,
    data: message.subarray(PICTURE_HEADER_BYTES),
  });
}

/** Returns a copy of a picture message with the decode-only flag. */
export function asDecodeOnly(message: Uint8Array): Uint8Array {
  const copy = message.slice();
  copy[1] = (copy[1] ?? 0) | DECODE_ONLY;
  return copy;
}
