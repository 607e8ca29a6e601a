import type { Ticks } from './base/units.ts';

/**
 * What a frame is worth to the frames after it:
 * `key` – decoding can start here; `reference` – others may refer to it; `discardable` – nothing refers to it
 * (nal_ref_idc is 0 in all of its slices).
 */
export type Importance = 'key' | 'reference' | 'discardable';

/**
 * One coded picture, or one frame of sound, with everything that is decoded at the same time. The sender takes access
 * units and the receiver gives equal ones. Times count from an epoch of the stream's own and do not wrap.
 */
export interface AccessUnit {
  /**
   * The codec's own units in stream order, none of them empty, without start codes or length prefixes: NAL units
   * (H.264, HEVC), open bitstream units (AV1), or the whole coded frame as one part (Opus).
   */
  readonly parts: readonly Uint8Array[];
  /** When the picture is to be shown, 90 kHz. */
  readonly timestamp: Ticks;
  /** When the picture is to be decoded, 90 kHz; never after `timestamp`, never decreasing in stream order. */
  readonly decodeTimestamp: Ticks;
  readonly importance: Importance;
  /** True for a picture that is decoded and not shown: others refer to it, but it is cut away, or too late. */
  readonly decodeOnly?: true;
}
