import { utf8Bytes } from '../../base/text-codec.ts';
import type { ByteStreamFormat } from '../codec.ts';
import { joinAnnexB } from '../nal/annex-b.ts';
import { H265_NAL_UNIT_TYPE, h265NalUnitType, isSliceSegment } from './nal-unit.ts';

/** Access unit delimiter for all slice types (H.265 §7.4.3.5). */
export const UNIT_DELIMITER = Uint8Array.of(0x46, 0x01, 0x50);

/**
 * Supplemental information "user data unregistered" (H.265 §D.2.7) in a picture that is to be shown: payload type 5, 16
 * bytes of UUID and no more. FFmpeg hands this message on with the decoded picture, so that `shownOnly` drops the
 * pictures without it before they reach the screen.
 */
const SHOWN_MARK = Uint8Array.of(0x4e, 0x01, 5, 16, ...utf8Bytes('dropframe: shown'), 0x80);

/** H.265 as a byte stream (Annex B). */
export const H265_BYTE_STREAM: ByteStreamFormat = {
  extensions: ['.h265', '.265', '.hevc'],
  demuxer: 'hevc',
  write: joinAnnexB,
  shownOnly: 'sidedata=mode=select:type=SEI_UNREGISTERED',

  /**
   * A parser of raw Annex B emits a picture only at the start of the next one, a frame interval later. The delimiter
   * that opens an access unit is therefore written at the end of the previous one.
   */
  writeForPlayer(nalUnits, shown) {
    const parts = withoutDelimiter(nalUnits);
    // Slice segments follow all prefix information of their picture (§7.4.2.4.4).
    const slice = parts.findIndex((nalUnit) => isSliceSegment(h265NalUnitType(nalUnit)));
    if (shown && slice >= 0) parts.splice(slice, 0, SHOWN_MARK);
    return joinAnnexB([...parts, UNIT_DELIMITER]);
  },
};

/** The NAL units of an access unit without its delimiter. */
export function withoutDelimiter(nalUnits: readonly Uint8Array[]): Uint8Array[] {
  return nalUnits.filter((nalUnit) => h265NalUnitType(nalUnit) !== H265_NAL_UNIT_TYPE.accessUnitDelimiter);
}
