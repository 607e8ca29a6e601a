import type { AccessUnit } from '../access-unit.ts';
import type { Codec } from './codec.ts';
import type { Rotation } from './nal/display-orientation.ts';
import { hasNalUnits, nalStreamOf } from './nal-streams.ts';

/**
 * Returns a key frame that itself says how it is to be rotated, for what has no other place for it: byte streams, MPEG-TS,
 * plain RTP. Any other unit, and a codec without such a message, is returned as it is.
 */
export function orientedUnit(codec: Codec, unit: AccessUnit, rotation: Rotation | undefined): AccessUnit {
  if (!rotation || unit.importance !== 'key' || !hasNalUnits(codec)) return unit;
  const format = nalStreamOf(codec);
  const slice = unit.parts.findIndex(format.isSlice);
  if (slice === -1) return unit;
  return { ...unit, parts: [...unit.parts.slice(0, slice), format.orientation(rotation), ...unit.parts.slice(slice)] };
}
