import type { Mp4Format } from '../codec.ts';
import { joinLengthPrefixed } from '../nal/length-prefixed.ts';
import { serializeDecoderConfiguration } from './decoder-configuration.ts';
import { NAL_UNIT_TYPE, nalUnitType } from './nal-unit.ts';

/** Limit of sequence parameter sets in an avcC, whose count has five bits (ISO/IEC 14496-15 §5.3.3.1). */
const SEQUENCE_SETS_MAX = 31;

/** H.264 in MP4 (ISO/IEC 14496-15 §5), with lengths of four bytes. */
export const MP4: Mp4Format = {
  sampleEntry: 'avc1',
  configurationBox: 'avcC',
  configuration(sets) {
    const sequences = sets.filter((set) => nalUnitType(set) === NAL_UNIT_TYPE.sequenceParameterSet);
    const first = sequences[0];
    if (first === undefined || first.length < 4 || sequences.length > SEQUENCE_SETS_MAX) return undefined;
    return serializeDecoderConfiguration(sets);
  },
  sample: joinLengthPrefixed,
};
