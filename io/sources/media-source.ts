import type { AccessUnit } from '../../protocol/access-unit.ts';
import type { CodecName } from '../../protocol/codec/codecs.ts';

/** Description of a source, known before its first access unit is read. */
export interface MediaDescription {
  /** The file's name, or the input as given. */
  readonly name: string;
  /** Of the access units. */
  readonly codecName: CodecName;
  /** As WebCodecs calls it: `avc1.64001f`. */
  readonly codec: string;
  /** Luma samples, cropped. */
  readonly width: number;
  readonly height: number;
  /** The mean where it varies. */
  readonly framesPerSecond: number | undefined;
  /** `undefined`: endless, or nothing says it. */
  readonly durationSeconds: number | undefined;
  readonly mode: 'copy' | 'x264';
  /** SPS, then PPS, of the first access unit. */
  readonly parameterSets: readonly Uint8Array[];
}

/** Something that gives access units, whatever it is made of. */
export interface MediaSource {
  readonly description: MediaDescription;
  /**
   * Decode order, from the beginning at each call; the first is a key, the earliest is shown at 0 (so with B-frames the
   * first decode timestamps lie before 0). Nothing is read ahead of a slow consumer but a bounded queue.
   */
  units(): AsyncGenerator<AccessUnit>;
  /** Ends all that was started for it, ffmpeg included; running `units()` end. */
  close(): Promise<void>;
}
