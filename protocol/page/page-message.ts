import { malformed, type Parsed, parsed } from '../base/parsed.ts';
import type { Ticks } from '../base/units.ts';
import type { Rotation } from '../codec/nal/display-orientation.ts';
import { readPicture, writeBlock, writePicture } from './picture-bytes.ts';

/**
 * Messages between the page server and the page over one WebSocket.
 *
 * Binary messages carry a picture, server to page, in the form of `picture-bytes.ts`, version 1, or in the same form a coded
 * frame of sound instead of Annex B, with its duration as the time, version 3; the bytes of the kind are 0.
 * The time is that of handing over to the page server, since the Unix epoch. A gap in the picture numbers is a picture
 * dropped on the way to this viewer. A double represents every integer below 2^53: neither field wraps within the life of
 * a stream.
 *
 * Text messages are JSON: `PageAnnouncement` from the server, `PageCommand` from the page.
 */
export interface PagePicture {
  /** 0…2^32-1, counts all pictures of the server, including those not sent to this viewer. */
  readonly number: number;
  readonly key: boolean;
  /** True for a picture that is decoded but not shown. */
  readonly decodeOnly?: boolean;
  /** True for a picture that no other refers to. */
  readonly discardable?: boolean;
  readonly timestamp: Ticks;
  /** Send time in milliseconds since the Unix epoch, on the server's clock, which is also the page's. */
  readonly sentAtMs: number;
  /** Access unit, as decoders of WebCodecs take it: Annex B (H.264, HEVC), or the block of a container (VP9, AV1). */
  readonly data: Uint8Array;
}

/** A coded frame of sound, for a decoder. */
export interface PageSound {
  /** 0…2^32-1, counts all frames of sound of the server. */
  readonly number: number;
  /** On the timeline of the pictures. */
  readonly timestamp: Ticks;
  /** Duration of the frame, milliseconds. */
  readonly durationMs: number;
  readonly payload: Uint8Array;
}

/** Description of the sound that follows. */
export interface PageSoundDescription {
  /** RFC 6381 string, such as `opus` or `mp4a.40.2`. */
  readonly codec: string;
  /** Samples per second. */
  readonly sampleRate: number;
  readonly channels: number;
  /** Configuration of the decoder (WebCodecs `description`), one number per byte; absent where it needs none. */
  readonly configuration?: readonly number[];
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
  /** `undefined` without sound. */
  readonly sound?: PageSoundDescription | undefined;
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

const VERSION = 1;
const SOUND_VERSION = 3;

/** @param block access unit of a codec without Annex B, in the form of its containers. */
export function serializePagePicture(
  picture: Omit<PagePicture, 'data'> & { readonly parts: readonly Uint8Array[] },
  block?: Uint8Array,
): Uint8Array {
  const header = { ...picture, timeMs: picture.sentAtMs };
  return block ? writeBlock(VERSION, header, block) : writePicture(VERSION, header, picture.parts);
}

/** The result's bytes are a view of `message`. */
export function parsePagePicture(message: Uint8Array): Parsed<PagePicture> {
  const read = readPicture(VERSION, message);
  if (!read.ok) return read;
  const { timeMs: sentAtMs, ...picture } = read.value;
  return parsed({ ...picture, sentAtMs });
}

export function serializePageSound({ number, timestamp, durationMs: timeMs, payload }: PageSound): Uint8Array {
  return writeBlock(SOUND_VERSION, { number, key: true, timestamp, timeMs }, payload);
}

/** True for a message that `parsePageSound` reads. */
export const isPageSound = (message: Uint8Array): boolean => message[0] === SOUND_VERSION;

/** The result's bytes are a view of `message`. */
export function parsePageSound(message: Uint8Array): Parsed<PageSound> {
  const read = readPicture(SOUND_VERSION, message);
  if (!read.ok) return read;
  const { number, timestamp, timeMs: durationMs, data: payload } = read.value;
  if (durationMs <= 0) return malformed('bad-duration');
  return parsed({ number, timestamp, durationMs, payload });
}
