import type { AccessUnit } from '../../protocol/access-unit.ts';
import { joinAnnexB } from '../../protocol/codec/h264/annex-b.ts';

const UNIT_DELIMITER_TYPE = 9;
/** Access unit delimiter for all slice types but SP and SI (H.264 §7.4.2.4). */
const UNIT_DELIMITER = Uint8Array.of(0x09, 0x30);
/** Types of the NAL units that follow all supplemental information of their picture (H.264 §7.4.1.2.3). */
const SLICE_TYPES = { first: 1, last: 5 } as const;

/**
 * Supplemental information "user data unregistered" (H.264 §D.1.7) in a picture that is to be shown: payload type 5,
 * 16 bytes of UUID and no more. H.264 has no way to say that a picture is for the decoder alone. FFmpeg hands this
 * message on with the decoded picture, so that `SHOWN_ONLY` drops the pictures without it before they reach the screen.
 */
const SHOWN_MARK = Uint8Array.of(6, 5, 16, ...new TextEncoder().encode('dropframe: shown'), 0x80);
/** FFmpeg filter that lets through what `SHOWN_MARK` marks. */
export const SHOWN_ONLY = 'sidedata=mode=select:type=SEI_UNREGISTERED';

/**
 * Serializes an access unit for a player that parses raw Annex B. Such a parser emits a picture only at the start of
 * the next one, a frame interval later. The delimiter that opens an access unit is therefore written at the end of the
 * previous one. Measured in mpv: 19 ms instead of 85.
 */
export function serializeForParser(unit: AccessUnit): Uint8Array {
  const parts = unit.parts.filter((nalUnit) => typeOf(nalUnit) !== UNIT_DELIMITER_TYPE);
  const slice = parts.findIndex(
    (nalUnit) => typeOf(nalUnit) >= SLICE_TYPES.first && typeOf(nalUnit) <= SLICE_TYPES.last,
  );
  if (unit.decodeOnly !== true && slice >= 0) parts.splice(slice, 0, SHOWN_MARK);
  return joinAnnexB([...parts, UNIT_DELIMITER]);
}

const typeOf = (nalUnit: Uint8Array): number => (nalUnit[0] ?? 0) & 0x1f;
