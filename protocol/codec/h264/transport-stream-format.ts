import type { TransportStreamFormat } from '../codec.ts';
import { joinAnnexB } from '../nal/annex-b.ts';
import { NAL_UNIT_TYPE, nalUnitType } from './nal-unit.ts';

/** Access unit delimiter for all slice types (H.264 §7.4.2.4). */
const UNIT_DELIMITER = Uint8Array.of(0x09, 0xf0);

/** H.264 in MPEG-TS. */
export const TRANSPORT_STREAM: TransportStreamFormat = {
  streamType: 0x1b,
  write(nalUnits) {
    const parts = nalUnits.filter((nalUnit) => nalUnitType(nalUnit) !== NAL_UNIT_TYPE.accessUnitDelimiter);
    // ISO/IEC 13818-1 §2.14.1: in a transport stream, every H.264 picture begins with an access unit delimiter.
    return joinAnnexB([UNIT_DELIMITER, ...parts]);
  },
};
