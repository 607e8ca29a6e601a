import type { RawPictures } from '../sources/raw-pictures.ts';

/** Work of an encoder process, given once, at its start. */
export interface EncoderOrder {
  /** A file or URL, or a graph of the lavfi device. */
  readonly input: { readonly url: string } | { readonly graph: string };
  /** Geometry of an input of raw pictures without a header. */
  readonly rawPictures?: RawPictures | undefined;
  /** Options of FFmpeg that restrict what the input may refer to, by name. */
  readonly guard: Readonly<Record<string, string>>;
  /** Frame rate where the input does not state one, 1/s. */
  readonly framesPerSecondDefault: number;
  /** True when the input has no timestamps: frames are spaced evenly at `framesPerSecondDefault`. */
  readonly evenTimes: boolean;
  /** Media time of the first picture, 90 kHz: earlier ones are decoded and not encoded. */
  readonly from: number;
  /** Frames from one key frame to the next; `undefined`: key frames on request only. */
  readonly keyInterval: number | undefined;
  /** Length of the buffer (VBV), which bounds the size of a key frame, seconds; `undefined`: one picture. */
  readonly bufferSeconds: number | undefined;
  /** True when size and preset may change while the stream runs. */
  readonly adapts: boolean;
  /** State of an earlier process on the same input, from which this one takes over. */
  readonly resume?: { readonly preset: string; readonly epoch: number } | undefined;
}

/** How the encoder works at present. */
export interface EncoderState {
  readonly preset: string;
  /** Size of the coded picture, luma samples. */
  readonly width: number;
  readonly height: number;
}

/** Message to the encoder process. */
export type ToEncoder =
  | { readonly kind: 'open'; readonly order: EncoderOrder; readonly bitrate: number }
  /**
   * Encodes the next picture; after the end of the input, its first one again. `bitrate`: of the access units, bits per
   * second. `notBefore`: media time before which pictures are left out, 90 kHz.
   */
  | {
      readonly kind: 'next';
      readonly bitrate: number;
      readonly keyFrame: boolean;
      readonly notBefore?: number | undefined;
    };

/** Properties of the input, known before its first picture is encoded. */
export interface OpenedInput {
  /** Size of the pictures as they are shown at full size, luma samples. */
  readonly width: number;
  readonly height: number;
  readonly framesPerSecond: number;
  /** Seconds; `undefined`: endless or unknown. */
  readonly durationSeconds: number | undefined;
  /** Time of the first picture in the input, 90 kHz: media times count from it. */
  readonly epoch: number;
}

/** An encoded picture. */
export interface EncodedPicture {
  /** H.264 byte stream (Annex B). */
  readonly bytes: Uint8Array;
  /** Media time, 90 kHz, from the first picture of the input. */
  readonly timestamp: number;
  readonly keyFrame: boolean;
  readonly state: EncoderState;
}

/** Message from the encoder process. */
export type FromEncoder =
  | ({ readonly kind: 'opened' } & OpenedInput)
  | ({ readonly kind: 'picture' } & EncodedPicture)
  | { readonly kind: 'end' /** Pictures that could not be decoded. */; readonly damaged: number }
  | { readonly kind: 'failed'; readonly message: string };
