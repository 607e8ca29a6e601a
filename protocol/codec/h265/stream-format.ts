import { displayOrientation } from '../nal/display-orientation.ts';
import type { NalStreamFormat } from '../nal/nal-stream-format.ts';
import { H265AccessUnitSplitter } from './access-unit-splitter.ts';
import { parseHevcConfiguration } from './decoder-configuration.ts';
import { H265_NAL_UNIT_TYPE, h265NalUnitType, isSliceSegment, layerId, temporalId } from './nal-unit.ts';
import { parseH265SequenceParameterSet, withH265SequenceSignal } from './sequence-parameter-set.ts';

/** Header of a prefix SEI NAL unit, layer 0, TemporalId 0. */
const PREFIX_INFORMATION = [H265_NAL_UNIT_TYPE.prefixInformation << 1, 1];

/** H.265 in files and byte streams. */
export const H265_STREAM_FORMAT: NalStreamFormat = {
  title: 'HEVC',
  parameterSetNames: 'VPS, SPS, PPS',
  isSlice: (nalUnit) => isSliceSegment(h265NalUnitType(nalUnit)) && layerId(nalUnit) === 0,
  isSequenceParameterSet,
  withSignal: withH265SequenceSignal,
  // display_orientation_persistence_flag, then the bits up to the byte.
  orientation: (rotation) => displayOrientation(PREFIX_INFORMATION, rotation, 0b11000),
  splitPictures: () => new H265AccessUnitSplitter(),
  parseConfiguration: parseHevcConfiguration,
  recognizesStream(nalUnits) {
    const first = nalUnits[0];
    if (first === undefined || (first[0]! & 0x80) !== 0 || layerId(first) !== 0 || temporalId(first) !== 0)
      return false;
    return nalUnits.some((nalUnit) => isSequenceParameterSet(nalUnit) && parseH265SequenceParameterSet(nalUnit).ok);
  },
};

function isSequenceParameterSet(nalUnit: Uint8Array): boolean {
  return h265NalUnitType(nalUnit) === H265_NAL_UNIT_TYPE.sequenceParameterSet && layerId(nalUnit) === 0;
}
