import { utf8Bytes } from '../base/text-codec.ts';

/** Group and port of session announcements with global scope (RFC 2974 §3). */
export const ANNOUNCEMENT_ADDRESS = [224, 2, 127, 254] as const;
export const ANNOUNCEMENT_PORT = 9_875;

const HEADER_BYTES = 8;
const VERSION_1 = 0x20;

/**
 * A session announcement (RFC 2974 §6), not authenticated, not compressed. In a capture it tells Wireshark which payload
 * formats follow.
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    | V=1 |A|R|T|E|C|   auth len    |         msg id hash           |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |                originating source, IPv4                       |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |        payload type: "application/sdp", zero, payload ...     |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * @param number distinguishes the announcements of one source (`msg id hash`), not 0.
 */
export function serializeAnnouncement(options: {
  readonly source: readonly number[];
  readonly number: number;
  readonly description: string;
}): Uint8Array {
  const payload = utf8Bytes(`application/sdp\0${options.description}`);
  const bytes = new Uint8Array(HEADER_BYTES + payload.length);
  bytes[0] = VERSION_1;
  bytes[2] = options.number >> 8;
  bytes[3] = options.number;
  bytes.set(options.source, 4);
  bytes.set(payload, HEADER_BYTES);
  return bytes;
}
