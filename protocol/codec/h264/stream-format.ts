import { parsed } from '../../base/parsed.ts';
import { displayOrientation } from '../nal/display-orientation.ts';
import type { NalStreamFormat } from '../nal/nal-stream-format.ts';
import { AccessUnitSplitter } from './access-unit-splitter.ts';
import { parseDecoderConfiguration } from './decoder-configuration.ts';
import { isCodedSlice, NAL_UNIT_TYPE, nalUnitType } from './nal-unit.ts';
import { parseSequenceParameterSet, withSequenceSignal } from './sequence-parameter-set.ts';

/** NAL unit headers of H.264 that other formats with the same start codes do not have in their first bytes. */
const HEADERS: readonly (number | undefined)[] = [
  ...[0x65, 0x45, 0x25, 0x61, 0x41, 0x21],
  ...[0x67, 0x47, 0x27, 0x68, 0x48, 0x28],
];
/** NAL unit types at the start of an HEVC stream (bits 1 to 6 of the first byte): VPS, SPS, delimiter. */
const HEVC_STARTS: readonly number[] = [32, 33, 35];

/** H.264 in files and byte streams. */
export const STREAM_FORMAT: NalStreamFormat = {
  title: 'H.264',
  parameterSetNames: 'SPS, PPS',
  isSlice: (nalUnit) => isCodedSlice(nalUnitType(nalUnit)),
  isSequenceParameterSet,
  withSignal: withSequenceSignal,
  // Repetition period 1 as ue(v), no extension.
  orientation: (rotation) => displayOrientation([NAL_UNIT_TYPE.supplementalEnhancement], rotation, 0b01001),
  splitPictures: () => new AccessUnitSplitter(),

  parseConfiguration(record) {
    const configuration = parseDecoderConfiguration(record);
    if (!configuration.ok) return configuration;
    const { lengthSize, sequenceParameterSets, pictureParameterSets } = configuration.value;
    return parsed({ lengthSize, parameterSets: [...sequenceParameterSets, ...pictureParameterSets] });
  },

  /**
   * MPEG-1, -2 and -4 and program streams use the same start codes but other NAL unit headers; HEVC is recognized by
   * its own headers.
   */
  recognizesStream(nalUnits) {
    const first = nalUnits[0];
    // Video start codes of MPEG-1, -2 and -4 set the forbidden bit.
    if (first === undefined || (first[0]! & 0x80) !== 0) return false;
    if (nalUnits.some((nalUnit) => isSequenceParameterSet(nalUnit) && parseSequenceParameterSet(nalUnit).ok))
      return true;
    if (HEVC_STARTS.includes((first[0]! >> 1) & 0x3f) && first[1] === 1) return false;
    return (
      nalUnits.every((nalUnit) => (nalUnit[0]! & 0x80) === 0) && nalUnits.some(([header]) => HEADERS.includes(header))
    );
  },
};

function isSequenceParameterSet(nalUnit: Uint8Array): boolean {
  return nalUnitType(nalUnit) === NAL_UNIT_TYPE.sequenceParameterSet;
}
