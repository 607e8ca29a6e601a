import { base64Text, hexText } from '../../base/text-codec.ts';
import type { SessionFormat } from '../codec.ts';
import { parameterSetsIn } from '../nal/session-parameters.ts';
import { H265_NAL_UNIT_TYPE, h265NalUnitType } from './nal-unit.ts';
import { parseH265SequenceParameterSet } from './sequence-parameter-set.ts';

/** Parameters with the parameter sets of one type, in the order in which a decoder needs them. */
const SET_PARAMETERS = [
  ['sprop-vps', H265_NAL_UNIT_TYPE.videoParameterSet],
  ['sprop-sps', H265_NAL_UNIT_TYPE.sequenceParameterSet],
  ['sprop-pps', H265_NAL_UNIT_TYPE.pictureParameterSet],
] as const;

/** H.265 in session descriptions (RFC 7798 §7.1). */
export const H265_SESSION_FORMAT: SessionFormat = {
  encodingName: 'H265',

  formatParameters(sets) {
    const parameters: string[] = [];
    const sequence = sets.find((set) => h265NalUnitType(set) === H265_NAL_UNIT_TYPE.sequenceParameterSet);
    const sps = sequence && parseH265SequenceParameterSet(sequence);
    if (sps?.ok) {
      const { profileSpace, profile, highTier, level, constraints } = sps.value.format;
      parameters.push(`profile-space=${profileSpace}`, `profile-id=${profile}`, `tier-flag=${highTier ? 1 : 0}`);
      parameters.push(`level-id=${level}`, `interop-constraints=${hexText(Uint8Array.from(constraints))}`);
    }
    for (const [name, type] of SET_PARAMETERS) {
      const own = sets.filter((set) => h265NalUnitType(set) === type);
      if (own.length > 0) parameters.push(`${name}=${own.map(base64Text).join(',')}`);
    }
    return parameters;
  },

  parameterSetsIn: (parameters) =>
    parameterSetsIn(
      parameters,
      SET_PARAMETERS.map(([name]) => name),
    ),
};
