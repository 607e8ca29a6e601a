import type { AccessUnit } from '../../protocol/access-unit.ts';
import { joinAnnexB } from '../../protocol/codec/h264/annex-b.ts';

const UNIT_DELIMITER_TYPE = 9;
/** An access unit delimiter for pictures of any slice type but SP and SI (H.264 §7.4.2.4). */
const UNIT_DELIMITER = Uint8Array.of(0x09, 0x30);

/**
 * One access unit for a player that parses raw Annex B. Such a parser hands a picture on only when it sees the next one
 * begin, a whole frame interval later; so the delimiter that opens an access unit is written at the end of the one
 * before it. Measured: 85 ms become 19 in mpv.
 */
export function serializeForParser(unit: AccessUnit): Uint8Array {
  const parts = unit.parts.filter((nalUnit) => ((nalUnit[0] ?? 0) & 0x1f) !== UNIT_DELIMITER_TYPE);
  return joinAnnexB([...parts, UNIT_DELIMITER]);
}
