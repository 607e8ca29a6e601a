import type { Ticks } from './base/instant.ts';

/**
 * What a frame is worth to the frames after it:
 * `key` – decoding can start here; `reference` – others may refer to it; `discardable` – nothing refers to it
 * (nal_ref_idc is 0 in all of its slices).
 */
export type Importance = 'key' | 'reference' | 'discardable';

/**
 * One coded picture (H.264 §7.4.1.2.3): what enters the sender is what leaves the receiver.
 * Times count from an epoch of the stream's own and do not wrap.
 */
export interface AccessUnit {
  /** NAL units in stream order, without start codes or length prefixes, none of them empty. */
  readonly nalUnits: readonly Uint8Array[];
  /** When the picture is to be shown, 90 kHz. */
  readonly timestamp: Ticks;
  /** When the picture is to be decoded, 90 kHz; never after `timestamp`, never decreasing in stream order. */
  readonly decodeTimestamp: Ticks;
  readonly importance: Importance;
}
