import type { CodecName } from '../../protocol/codec/codecs.ts';
import type { FollowRange } from './follow-range.ts';

export interface PictureSourceOptions {
  /** `auto` copies H.264, HEVC, VP9 and AV1 that suit a live stream, and encodes everything else. */
  readonly encode: 'auto' | 'copy' | 'x264';
  /** Codecs that may be copied; default: all that this program carries. Browsers decode only H.264 for certain. */
  readonly copies?: readonly CodecName[];
  /** True to encode pictures that a player would have to turn. */
  readonly upright?: boolean;
  /** Bit rate of the encoder, bits per second. */
  readonly bitrate: number;
  /** Key frame interval of the encoder, frames. */
  readonly gop: number;
  /** Path of ffmpeg; by default it is located when it is needed. */
  readonly ffmpeg?: string | undefined;
  /** Makes an encoded source follow the path; `undefined`: its bit rate is fixed. */
  readonly follow?: FollowRange | undefined;
  /** Frame rate, 1/s, of a raw byte stream or raw pictures that do not state it. */
  readonly framesPerSecond?: number | undefined;
  /** Place at which the stream starts, seconds from the first picture; default 0. */
  readonly startSeconds?: number | undefined;
  /** Called with warnings about an input that can be used. */
  warn(message: string): void;
}
