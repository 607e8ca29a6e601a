import { utf8Bytes } from '../../base/text-codec.ts';
import type { ByteStreamFormat } from '../codec.ts';
import { joinAnnexB } from '../nal/annex-b.ts';
import { NAL_UNIT_TYPE, nalUnitType } from './nal-unit.ts';

/** Access unit delimiter for all slice types but SP and SI (H.264 §7.4.2.4). */
const UNIT_DELIMITER = Uint8Array.of(0x09, 0x30);

/**
 * Supplemental information "user data unregistered" (H.264 §D.1.7) in a picture that is to be shown: payload type 5,
 * 16 bytes of UUID and no more. H.264 has no way to say that a picture is for the decoder alone. FFmpeg hands this
 * message on with the decoded picture, so that `shownOnly` drops the pictures without it before they reach the screen.
 */
const SHOWN_MARK = Uint8Array.of(6, 5, 16, ...utf8Bytes('dropframe: shown'), 0x80);

/** H.264 as a byte stream (Annex B). */
export const BYTE_STREAM: ByteStreamFormat = {
  extensions: ['.h264', '.264'],
  demuxer: 'h264',
  write: joinAnnexB,
  shownOnly: 'sidedata=mode=select:type=SEI_UNREGISTERED',

  /**
   * A parser of raw Annex B emits a picture only at the start of the next one, a frame interval later. The delimiter
   * that opens an access unit is therefore written at the end of the previous one. Measured in mpv: 19 ms instead of 85.
   */
  writeForPlayer(nalUnits, shown) {
    const parts = nalUnits.filter((nalUnit) => nalUnitType(nalUnit) !== NAL_UNIT_TYPE.accessUnitDelimiter);
    // Slices follow all supplemental information of their picture (§7.4.1.2.3).
    const slice = parts.findIndex((nalUnit) => isSlice(nalUnitType(nalUnit)));
    if (shown && slice >= 0) parts.splice(slice, 0, SHOWN_MARK);
    return joinAnnexB([...parts, UNIT_DELIMITER]);
  },
};

const isSlice = (type: number): boolean => type >= NAL_UNIT_TYPE.slice && type <= NAL_UNIT_TYPE.idrSlice;
