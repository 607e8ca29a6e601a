import { CLOCK_RATE } from '../../base/units.ts';
import type { Codec, VideoFormat } from '../codec.ts';
import { H265_BYTE_STREAM } from './byte-stream.ts';
import { H265_MP4, SAMPLE_ENTRY } from './mp4-format.ts';
import {
  H265_NAL_UNIT_TYPE,
  h265NalUnitType,
  isSkippedLeading,
  isSliceSegment,
  NAL_UNIT_HEADER_BYTES,
} from './nal-unit.ts';
import { H265ParameterSetTracker, parameterSetsOf, withH265ParameterSets } from './parameter-sets.ts';
import { beginsH265AccessUnit, h265Importance, looksLikeH265 } from './payload-inspection.ts';
import { h265DecoderString } from './profile-tier-level.ts';
import { h265Entry } from './recovery-point.ts';
import { packH265Payloads, readPayloadRanges } from './rtp-payload.ts';
import { parseH265SequenceParameterSet } from './sequence-parameter-set.ts';
import { H265_SESSION_FORMAT } from './session-format.ts';
import { H265_TRANSPORT_STREAM } from './transport-stream-format.ts';

/** Headers of a TRAIL_R and an IDR_W_RADL slice segment, TemporalId 0, that start a picture. */
const SLICE_START = [0x02, 0x01, 0x80] as const;
const IDR_START = [0x26, 0x01, 0x80] as const;

/** H.265, also called HEVC (ITU-T H.265 | ISO/IEC 23008-2), in RTP (RFC 7798). A part is a NAL unit. */
export const H265: Codec = {
  name: 'h265',
  mediaType: 'video',
  clockRate: CLOCK_RATE,
  packetize: packH265Payloads,
  depacketize: readPayloadRanges,
  recognizes: looksLikeH265,
  startsFrame: beginsH265AccessUnit,
  importanceOf: h265Importance,
  entryOf: h265Entry,
  refersBeforeEntry: (nalUnits) => {
    const slice = nalUnits.find((nalUnit) => isSliceSegment(h265NalUnitType(nalUnit)));
    return slice !== undefined && isSkippedLeading(h265NalUnitType(slice));
  },
  trackParameterSets: () => new H265ParameterSetTracker(),
  withParameterSets: withH265ParameterSets,
  describe,
  parameterSetsOf,
  reorders: (sets) =>
    sets.some((set) => {
      const isSequence = h265NalUnitType(set) === H265_NAL_UNIT_TYPE.sequenceParameterSet;
      const sps = isSequence && parseH265SequenceParameterSet(set);
      return sps !== false && sps.ok && sps.value.reorderFrames > 0;
    }),
  session: H265_SESSION_FORMAT,
  byteStream: H265_BYTE_STREAM,
  transportStream: H265_TRANSPORT_STREAM,
  mp4: H265_MP4,
  matroska: { codecId: 'V_MPEGH/ISO/HEVC', codecPrivate: H265_MP4.configuration, block: H265_MP4.sample },
  syntheticPart({ key, bytes, filling }) {
    const nalUnit = new Uint8Array(Math.max(bytes, NAL_UNIT_HEADER_BYTES)).fill(filling);
    nalUnit.set((key ? IDR_START : SLICE_START).slice(0, nalUnit.length));
    return nalUnit;
  },
};

function describe(sets: readonly Uint8Array[]): VideoFormat | undefined {
  for (const parameterSet of sets) {
    if (h265NalUnitType(parameterSet) !== H265_NAL_UNIT_TYPE.sequenceParameterSet) continue;
    const sps = parseH265SequenceParameterSet(parameterSet);
    if (!sps.ok) continue;
    const { format, width, height, framesPerSecond, signal } = sps.value;
    return { decoder: h265DecoderString(SAMPLE_ENTRY, format), width, height, framesPerSecond, signal, parameterSet };
  }
  return undefined;
}
