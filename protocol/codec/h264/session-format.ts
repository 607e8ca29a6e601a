import { base64Text, hexText } from '../../base/text-codec.ts';
import type { SessionFormat } from '../codec.ts';
import { parameterSetsIn } from '../nal/session-parameters.ts';
import { NAL_UNIT_TYPE, nalUnitType } from './nal-unit.ts';

/** H.264 in session descriptions (RFC 6184 §8.2). */
export const SESSION_FORMAT: SessionFormat = {
  encodingName: 'H264',

  formatParameters(sets) {
    const parameters = ['packetization-mode=1'];
    const sequence = sets.find((set) => nalUnitType(set) === NAL_UNIT_TYPE.sequenceParameterSet && set.length >= 4);
    // profile_idc, constraint flags and level_idc are the three bytes after the NAL unit header.
    if (sequence !== undefined) parameters.push(`profile-level-id=${hexText(sequence.subarray(1, 4))}`);
    if (sets.length > 0) parameters.push(`sprop-parameter-sets=${sets.map(base64Text).join(',')}`);
    return parameters;
  },

  parameterSetsIn: (parameters) => parameterSetsIn(parameters, ['sprop-parameter-sets']),
};
