import { base64Bytes, base64Text, hexText } from '../../base/text-codec.ts';
import type { SessionFormat } from '../codec.ts';
import { NAL_UNIT_TYPE, nalUnitType } from './nal-unit.ts';

const PARAMETER_SETS_MAX = 64;

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

  parameterSetsIn(parameters) {
    const sets: Uint8Array[] = [];
    for (const parameter of parameters) {
      const equals = parameter.indexOf('=');
      if (equals === -1 || parameter.slice(0, equals).trim().toLowerCase() !== 'sprop-parameter-sets') continue;
      const value = parameter
        .slice(equals + 1)
        .trim()
        .replace(/^"|"$/g, '');
      for (const part of value.split(',')) {
        // ffmpeg ends the list with a comma when there is an SPS and no PPS.
        if (part === '') continue;
        const set = base64Bytes(part.trim());
        if (set === undefined || set.length === 0 || sets.length === PARAMETER_SETS_MAX) return undefined;
        sets.push(set);
      }
    }
    return sets;
  },
};
