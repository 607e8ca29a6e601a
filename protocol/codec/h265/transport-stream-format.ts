import type { TransportStreamFormat } from '../codec.ts';
import { joinAnnexB } from '../nal/annex-b.ts';
import { UNIT_DELIMITER, withoutDelimiter } from './byte-stream.ts';

/** H.265 in MPEG-TS. */
export const H265_TRANSPORT_STREAM: TransportStreamFormat = {
  streamType: 0x24,
  // ISO/IEC 13818-1 §2.17.1: in a transport stream, every HEVC access unit begins with an access unit delimiter.
  write: (nalUnits) => joinAnnexB([UNIT_DELIMITER, ...withoutDelimiter(nalUnits)]),
};
