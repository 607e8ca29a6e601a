import type { AccessUnit } from '../../protocol/access-unit.ts';
import type { CodecName } from '../../protocol/codec/codecs.ts';
import type { Rotation } from '../../protocol/codec/nal/display-orientation.ts';
import type { AdaptiveControl } from './adaptive-control.ts';

/** Description of a source, known before its first access unit is read. */
export interface MediaDescription {
  /** Name of the file, or the input as given. */
  readonly name: string;
  /** Codec of the access units. */
  readonly codecName: CodecName;
  /** Codec string of WebCodecs: `avc1.64001f`. */
  readonly codec: string;
  /** RTP clock rate, ticks per second, of a codec whose streams have rates of their own; that of the codec by default. */
  readonly clockRate?: number | undefined;
  /** Width in luma samples, cropped; 0 for a source of sound alone. */
  readonly width: number;
  readonly height: number;
  /** Rotation clockwise that a player applies to the pictures; none by default. */
  readonly rotation?: Rotation | undefined;
  /** Frame rate, 1/s; the mean where it varies. */
  readonly framesPerSecond: number | undefined;
  /** Duration, seconds; `undefined`: endless or unknown. */
  readonly durationSeconds: number | undefined;
  /** `copy`, or the encoder: `opus` for a source of sound alone. */
  readonly mode: 'copy' | 'x264' | 'opus';
  /** True for a source that produces pictures by itself, such as a camera: they are sent when they come. */
  readonly isLive?: boolean;
  /** Parameter sets of the first access unit, in the order in which a decoder needs them. */
  readonly parameterSets: readonly Uint8Array[];
}

/** Description of the sound of a source. */
export interface SoundDescription {
  /** Codec of the access units. */
  readonly codecName: CodecName;
  /** Codec string of WebCodecs: `opus`, `mp4a.40.2`. */
  readonly decoder: string;
  /** RTP clock rate, ticks per second: of AAC its sampling rate. */
  readonly clockRate: number;
  readonly channels: number;
  /** Configuration of the decoder. */
  readonly parameterSets: readonly Uint8Array[];
}

/** Which pass over a source is read. */
export interface SourcePass {
  /** True for a repetition: it begins at the beginning, wherever the source starts; default false. */
  readonly isRepeat?: boolean;
}

/** Sound of a source. */
export interface SoundSource {
  readonly description: SoundDescription;
  /**
   * Access units from the source's start at each call, each decodable by itself, in order of their times, which are those
   * of the pictures: 0 is where the first picture is shown.
   */
  units(pass?: SourcePass): AsyncGenerator<AccessUnit>;
}

/** Sources that are played one after another as one stream. */
export interface Playlist {
  /** Number of entries; entry 0 is the source that has the playlist. */
  readonly length: number;
  /** True when the pictures of an entry are shown in another order than they are decoded (B-frames). */
  readonly reorders?: boolean | undefined;
  /** Opens an entry, 1 … `length` − 1, which the caller closes. Rejects when it cannot be opened any more. */
  open(index: number): Promise<MediaSource>;
}

/** A source of access units. */
export interface MediaSource {
  readonly description: MediaDescription;
  /** `undefined` when there is none, or none is wanted. */
  readonly sound?: SoundSource | undefined;
  /** The sources that follow this one; `undefined` for a single source. */
  readonly playlist?: Playlist | undefined;
  /** Place at which the source starts, seconds from its beginning; 0 by default. */
  readonly startSeconds?: number | undefined;
  /** Control of a source that follows the path; `undefined` for one that cannot. */
  readonly adaptive?: AdaptiveControl | undefined;
  /**
   * Decode order, from the source's start at each call; the first is a key, the earliest is shown at 0 (so with B-frames
   * the first decode timestamps lie before 0), or later where an edit list begins with nothing. Pictures before the start
   * that others refer to are not shown. Nothing is read ahead of a slow consumer but a bounded queue.
   */
  units(pass?: SourcePass): AsyncGenerator<AccessUnit>;
  /** Stops everything the source has started, including ffmpeg; running `units()` end. */
  close(): Promise<void>;
}
