import { CLOCK_RATE } from '../../base/units.ts';
import type { Codec, VideoFormat } from '../codec.ts';
import { BYTE_STREAM } from './byte-stream.ts';
import { MP4 } from './mp4-format.ts';
import { NAL_UNIT_TYPE, nalUnitType } from './nal-unit.ts';
import { H264ParameterSetTracker, withParameterSets } from './parameter-sets.ts';
import { beginsAccessUnit, looksLikeH264, payloadsImportance } from './payload-inspection.ts';
import { entryOf } from './recovery-point.ts';
import { packPayloads, readPayloadRanges } from './rtp-payload.ts';
import { codecString, parseSequenceParameterSet } from './sequence-parameter-set.ts';
import { SESSION_FORMAT } from './session-format.ts';
import { TRANSPORT_STREAM } from './transport-stream-format.ts';

const SLICE_HEADER = 0x41;
const IDR_SLICE_HEADER = 0x65;

/** H.264 (ITU-T H.264 | ISO/IEC 14496-10) in RTP (RFC 6184, packetization-mode 1). A part is a NAL unit. */
export const H264: Codec = {
  name: 'h264',
  mediaType: 'video',
  clockRate: CLOCK_RATE,
  packetize: packPayloads,
  depacketize: readPayloadRanges,
  recognizes: looksLikeH264,
  startsFrame: beginsAccessUnit,
  importanceOf: payloadsImportance,
  entryOf,
  trackParameterSets: () => new H264ParameterSetTracker(),
  withParameterSets,
  describe,
  parameterSetsOf: (nalUnits) => [
    ...nalUnits.filter((nalUnit) => nalUnitType(nalUnit) === NAL_UNIT_TYPE.sequenceParameterSet),
    ...nalUnits.filter((nalUnit) => nalUnitType(nalUnit) === NAL_UNIT_TYPE.pictureParameterSet),
  ],
  reorders: (sets) =>
    sets.some((set) => {
      const sps = nalUnitType(set) === NAL_UNIT_TYPE.sequenceParameterSet && parseSequenceParameterSet(set);
      // Where nothing is announced, most streams have none: cameras do not, and x264 announces them.
      return sps !== false && sps.ok && (sps.value.reorderFrames ?? 0) > 0;
    }),
  exceedsBaseFormat: (sets) =>
    sets.some((set) => {
      const sps = nalUnitType(set) === NAL_UNIT_TYPE.sequenceParameterSet && parseSequenceParameterSet(set);
      if (sps === false || !sps.ok) return false;
      const { chromaFormat, bitDepthLuma, bitDepthChroma } = sps.value;
      return chromaFormat !== 1 || bitDepthLuma > 8 || bitDepthChroma > 8;
    }),
  session: SESSION_FORMAT,
  byteStream: BYTE_STREAM,
  transportStream: TRANSPORT_STREAM,
  mp4: MP4,
  matroska: { codecId: 'V_MPEG4/ISO/AVC', codecPrivate: MP4.configuration, block: MP4.sample },
  syntheticPart({ key, bytes, filling }) {
    const nalUnit = new Uint8Array(bytes).fill(filling);
    nalUnit[0] = key ? IDR_SLICE_HEADER : SLICE_HEADER;
    return nalUnit;
  },
};

function describe(sets: readonly Uint8Array[]): VideoFormat | undefined {
  for (const parameterSet of sets) {
    if (nalUnitType(parameterSet) !== NAL_UNIT_TYPE.sequenceParameterSet) continue;
    const sps = parseSequenceParameterSet(parameterSet);
    if (!sps.ok) continue;
    const { width, height, framesPerSecond, signal } = sps.value;
    return { decoder: codecString(sps.value), width, height, framesPerSecond, signal, parameterSet };
  }
  return undefined;
}
