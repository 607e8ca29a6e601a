import { assert } from '../base/assert.ts';
import { utf8Bytes } from '../base/text-codec.ts';
import { RTSP_REASONS, type RtspStatus } from './rtsp-status.ts';

/** A header field: its name, in any case, and its value. */
export type RtspHeader = readonly [name: string, value: string];

/** A request of RTSP 1.0 (RFC 2326 §6). */
export interface RtspRequest {
  readonly kind: 'request';
  /** In upper case, such as `DESCRIBE`. */
  readonly method: string;
  /** Absolute URI, or `*`. */
  readonly uri: string;
  readonly headers: readonly RtspHeader[];
  /** Empty when there is none. */
  readonly body: Uint8Array;
}

/** A response of RTSP 1.0 (RFC 2326 §7). */
export interface RtspResponse {
  readonly kind: 'response';
  /** 100 … 599. */
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly RtspHeader[];
  readonly body: Uint8Array;
}

/** Binary data between messages (RFC 2326 §10.12). */
export interface InterleavedFrame {
  readonly kind: 'interleaved';
  /** 0 … 255. */
  readonly channel: number;
  readonly payload: Uint8Array;
}

/** Returns the value of a header field; the values of repeated fields are joined by commas (RFC 2326 §4.2 with RFC 2616). */
export function headerOf({ headers }: { readonly headers: readonly RtspHeader[] }, name: string): string | undefined {
  const wanted = name.toLowerCase();
  const values = headers.filter(([each]) => each.toLowerCase() === wanted).map(([, value]) => value);
  return values.length === 0 ? undefined : values.join(', ');
}

/** Returns the answer to a request: with its CSeq, where it has one (RFC 2326 §12.17). */
export function rtspAnswer(
  status: RtspStatus,
  sequence: string | undefined,
  headers: readonly RtspHeader[] = [],
  body: Uint8Array = new Uint8Array(0),
): RtspResponse {
  const numbered: RtspHeader[] = sequence === undefined ? [] : [['CSeq', sequence]];
  return { kind: 'response', status, reason: RTSP_REASONS[status], headers: [...numbered, ...headers], body };
}

/** Serializes a message; Content-Length is added where there is a body. */
export function serializeRtsp(message: RtspRequest | RtspResponse): Uint8Array {
  const { headers, body } = message;
  const start =
    message.kind === 'request'
      ? `${message.method} ${message.uri} RTSP/1.0`
      : `RTSP/1.0 ${message.status} ${message.reason}`;
  const fields = headers.map(([name, value]) => `${name}: ${value}`);
  if (body.length > 0) fields.push(`Content-Length: ${body.length}`);
  for (const line of [start, ...fields])
    assert(!/[\r\n]/.test(line), 'a line of a message must not contain a line end');
  const head = utf8Bytes(`${[start, ...fields].join('\r\n')}\r\n\r\n`);
  const bytes = new Uint8Array(head.length + body.length);
  bytes.set(head);
  bytes.set(body, head.length);
  return bytes;
}

/** Bytes in front of an interleaved packet. */
export const INTERLEAVED_HEADER_BYTES = 4;
export const INTERLEAVED_MARK = 0x24;

/**
 * Returns a packet as it is interleaved with messages (RFC 2326 §10.12).
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |   '$' (0x24)  |    channel    |         length, bytes         |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |                           packet ...                          |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
export function interleaved(channel: number, packet: Uint8Array): Uint8Array {
  assert(packet.length <= 0xffff, 'the length of an interleaved packet must fit in 16 bits');
  const bytes = new Uint8Array(INTERLEAVED_HEADER_BYTES + packet.length);
  bytes.set([INTERLEAVED_MARK, channel, packet.length >> 8, packet.length & 0xff]);
  bytes.set(packet, INTERLEAVED_HEADER_BYTES);
  return bytes;
}
