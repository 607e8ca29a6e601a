import { type Ticks, ticks } from './base/units.ts';

/**
 * Importance of a frame for later frames: `key` – decoding can start here; `reference` – later frames may refer to it;
 * `discardable` – no frame refers to it (nal_ref_idc is 0 in all of its slices).
 */
export type Importance = 'key' | 'reference' | 'discardable';

/**
 * One coded picture, or one frame of sound, with everything that is decoded at the same time. The receiver delivers
 * access units equal to those that the sender took. Times count from the stream's own epoch and do not wrap.
 */
export interface AccessUnit {
  /**
   * Units of the codec in stream order, none of them empty, without start codes or length prefixes: NAL units (H.264,
   * HEVC), open bitstream units (AV1), or the whole coded frame as one part (Opus).
   */
  readonly parts: readonly Uint8Array[];
  /** Presentation time, 90 kHz. */
  readonly timestamp: Ticks;
  /** Decode time, 90 kHz; never after `timestamp`, never decreasing in stream order. */
  readonly decodeTimestamp: Ticks;
  readonly importance: Importance;
  /** True for a picture that is decoded but never shown: later frames refer to it, but it is cut away, or incomplete. */
  readonly decodeOnly?: true;
}

/** Returns the unit later by a number of ticks. */
export function shifted(unit: AccessUnit, by: Ticks): AccessUnit {
  if (by === 0) return unit;
  return { ...unit, timestamp: ticks(unit.timestamp + by), decodeTimestamp: ticks(unit.decodeTimestamp + by) };
}
