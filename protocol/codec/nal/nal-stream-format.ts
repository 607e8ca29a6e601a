import type { Parsed } from '../../base/parsed.ts';
import type { PictureSplitter } from './coded-picture.ts';
import type { Rotation } from './display-orientation.ts';
import type { VideoSignal } from './video-signal.ts';

/** How files and byte streams hold a codec whose parts are NAL units. */
export interface NalStreamFormat {
  /** Name for messages: `H.264`. */
  readonly title: string;
  /** Parameter sets that decoding needs, for messages: `SPS, PPS`. */
  readonly parameterSetNames: string;
  /** True for the NAL units of a picture, from which its access unit takes its time. */
  isSlice(nalUnit: Uint8Array): boolean;
  isSequenceParameterSet(nalUnit: Uint8Array): boolean;
  /** Returns a sequence parameter set that shows pictures so; what is `undefined` in the signal stays as it is. */
  withSignal(sequenceParameterSet: Uint8Array, signal: VideoSignal): Uint8Array;
  /** Returns a NAL unit that says how pictures are to be rotated, to be put before the slices of a key frame. */
  orientation(rotation: Rotation): Uint8Array;
  /** Creates a splitter for one stream. */
  splitPictures(): PictureSplitter;
  /** Parses the decoder configuration of a container (ISO/IEC 14496-15). */
  parseConfiguration(record: Uint8Array): Parsed<NalConfiguration>;
  /** True when a byte stream that begins with these NAL units, of which the last may be cut, is of this codec. */
  recognizesStream(nalUnits: readonly Uint8Array[]): boolean;
}

/** A container's description of the NAL units in its samples. */
export interface NalConfiguration {
  /** Size of the length in front of each NAL unit of a sample: 1, 2 or 4 bytes. */
  readonly lengthSize: number;
  /** Parameter sets in the order in which a decoder needs them. */
  readonly parameterSets: readonly Uint8Array[];
}
