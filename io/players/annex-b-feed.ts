import type { AccessUnit } from '../../protocol/access-unit.ts';
import { joinAnnexB } from '../../protocol/codec/h264/annex-b.ts';

const UNIT_DELIMITER_TYPE = 9;
/** Access unit delimiter for all slice types but SP and SI (H.264 §7.4.2.4). */
const UNIT_DELIMITER = Uint8Array.of(0x09, 0x30);

/**
 * Serializes an access unit for a player that parses raw Annex B. Such a parser emits a picture only at the start of
 * the next one, a frame interval later. The delimiter that opens an access unit is therefore written at the end of the
 * previous one. Measured in mpv: 19 ms instead of 85.
 */
export function serializeForParser(unit: AccessUnit): Uint8Array {
  const parts = unit.parts.filter((nalUnit) => ((nalUnit[0] ?? 0) & 0x1f) !== UNIT_DELIMITER_TYPE);
  return joinAnnexB([...parts, UNIT_DELIMITER]);
}
