import { malformed, type Parsed, parsed } from '../base/parsed.ts';
import { type Ticks, ticks } from '../base/units.ts';
import type { Rotation } from '../codec/nal/display-orientation.ts';

/**
 * Messages between the page server and the page over one WebSocket.
 *
 * Binary messages carry a picture, server to page. All integers are big-endian:
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |   version=1   |K|N| reserved=0|          reserved=0           |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |              picture number, one more for each                |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |                  timestamp, 90 kHz ticks,                     |
 *    |                  IEEE 754 double, never wraps                 |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |           handed to the page server, milliseconds             |
 *    |           since the Unix epoch, IEEE 754 double               |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |           Annex B: start codes and NAL units ...              |
 *
 * K: random access point. N: the picture is decoded and not shown. A gap in the picture numbers is a picture dropped on
 * the way to this viewer. A double represents every integer below 2^53: neither field wraps within the life of a stream.
 *
 * Text messages are JSON: `PageAnnouncement` from the server, `PageCommand` from the page.
 */
export interface PagePicture {
  /** 0…2^32-1, counts all pictures of the server, including those not sent to this viewer. */
  readonly number: number;
  readonly key: boolean;
  /** True for a picture that is decoded but not shown. */
  readonly decodeOnly?: boolean;
  readonly timestamp: Ticks;
  /** Send time in milliseconds since the Unix epoch, on the server's clock, which is also the page's. */
  readonly sentAtMs: number;
  /** Access unit with start codes (H.264 Annex B). */
  readonly annexB: Uint8Array;
}

/** Description of the pictures that follow. `codec` is an RFC 6381 string such as `avc1.42C01F`. */
export interface PageDescription {
  readonly title: string;
  readonly codec: string;
  /** Luma samples after cropping. */
  readonly width: number;
  readonly height: number;
  /** Rotation clockwise that the page applies; none by default. */
  readonly rotation?: Rotation | undefined;
  /** `undefined` when unknown or not constant. */
  readonly framesPerSecond?: number | undefined;
}

/** Statistics shown by the page. Counts are totals since the stream began; a missing field is shown as a dash. */
export interface PageStatistics {
  /** Frames delivered to the player by their deadline without a retransmission. */
  readonly framesOnTime?: number;
  /** Shown after their deadline, or dropped at it and completed later. */
  readonly framesLate?: number;
  /** Completed after their deadline, and decoded without being shown. */
  readonly framesMended?: number;
  readonly framesLost?: number;
  readonly framesRecovered?: number;
  /** Packets sent, as estimated by the receiver: the denominator of the loss rate. */
  readonly packets?: number;
  /** Packets lost on the path, including those recovered later. */
  readonly packetsLost?: number;
  readonly packetsRecovered?: number;
  /** Datagrams dropped by the receiver's own machine before they were read; omitted when there are none. */
  readonly hostDrops?: number;
  /** Datagrams that the sender's operating system refused to send; omitted when there are none. */
  readonly sendsRefused?: number;
  readonly delayMsP50?: number | null;
  readonly delayMsP95?: number | null;
  /** Agreed play-out delay. */
  readonly latencyMs?: number | null;
  readonly roundTripMs?: number | null;
  /** Media bit rate, bits per second. */
  readonly bitrate?: number | null;
  readonly transport?: string;
  readonly recovery?: string;
  /** Impairment as typed: `loss=5% delay=20ms`. */
  readonly link?: string;
}

export type PageAnnouncement =
  | { readonly kind: 'description'; readonly description: PageDescription }
  | { readonly kind: 'statistics'; readonly record: PageStatistics }
  /** The stream has ended; the connection closes next. */
  | { readonly kind: 'ended' };

/** `stop` ends the stream for all viewers; `request-keyframe` asks for a key frame at which a decoder can restart. */
export type PageCommand = 'stop' | 'request-keyframe';

/** Path of the WebSocket on the page server. */
export const PAGE_SOCKET_PATH = '/live';

export const PAGE_PICTURE_HEADER_BYTES = 24;

const VERSION = 1;
const KEY = 0x80;
const DECODE_ONLY = 0x40;
const START_CODE_BYTES = 4;

export function serializePagePicture(
  picture: Omit<PagePicture, 'annexB'> & { readonly parts: readonly Uint8Array[] },
): Uint8Array {
  let length = PAGE_PICTURE_HEADER_BYTES;
  for (const part of picture.parts) length += START_CODE_BYTES + part.length;
  const message = new Uint8Array(length);
  const view = new DataView(message.buffer);
  view.setUint8(0, VERSION);
  view.setUint8(1, (picture.key ? KEY : 0) | (picture.decodeOnly === true ? DECODE_ONLY : 0));
  view.setUint32(4, picture.number);
  view.setFloat64(8, picture.timestamp);
  view.setFloat64(16, picture.sentAtMs);
  let offset = PAGE_PICTURE_HEADER_BYTES;
  for (const part of picture.parts) {
    message[offset + 3] = 1;
    message.set(part, offset + START_CODE_BYTES);
    offset += START_CODE_BYTES + part.length;
  }
  return message;
}

/** Returns a copy of a picture message with the decode-only flag. */
export function asDecodeOnly(message: Uint8Array): Uint8Array {
  const copy = message.slice();
  copy[1] = (copy[1] ?? 0) | DECODE_ONLY;
  return copy;
}

/** The result's bytes are a view of `message`. */
export function parsePagePicture(message: Uint8Array): Parsed<PagePicture> {
  if (message.length <= PAGE_PICTURE_HEADER_BYTES) return malformed('too-short');
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  if (view.getUint8(0) !== VERSION) return malformed('unknown-version');
  const timestamp = view.getFloat64(8);
  const sentAtMs = view.getFloat64(16);
  if (!Number.isSafeInteger(timestamp)) return malformed('bad-timestamp');
  if (!Number.isFinite(sentAtMs)) return malformed('bad-send-time');
  return parsed({
    number: view.getUint32(4),
    key: (view.getUint8(1) & KEY) !== 0,
    ...((view.getUint8(1) & DECODE_ONLY) !== 0 && { decodeOnly: true }),
    timestamp: ticks(timestamp),
    sentAtMs,
    annexB: message.subarray(PAGE_PICTURE_HEADER_BYTES),
  });
}
