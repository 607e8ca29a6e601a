import { BitReader } from '../nal/bit-reader.ts';
import { NalParameterSetTracker } from '../nal/parameter-set-tracker.ts';
import { isCodedSlice, NAL_UNIT_TYPE, nalUnitType } from './nal-unit.ts';

/** Keeps the latest parameter sets of a stream for decoders that join later. */
export class H264ParameterSetTracker extends NalParameterSetTracker {
  constructor() {
    super((nalUnit) => {
      const id = parameterSetId(nalUnit);
      if (id === undefined) return undefined;
      return { kind: nalUnitType(nalUnit) === NAL_UNIT_TYPE.sequenceParameterSet ? 0 : 1, id };
    });
  }
}

/**
 * Adds missing parameter sets to an IDR access unit, so that a decoder can join there (as ffmpeg's h264_mp4toannexb
 * does). Without a sequence parameter set of its own, all of `sets` are inserted after its access unit delimiter;
 * without a picture parameter set only, those of `sets` are inserted after its sequence parameter sets. Other access
 * units are returned unchanged.
 * @param joinable true to treat the access unit as a join point; by default when it has an IDR slice.
 */
export function withParameterSets(
  nalUnits: readonly Uint8Array[],
  sets: readonly Uint8Array[],
  joinable: boolean = nalUnits.some((nalUnit) => nalUnitType(nalUnit) === NAL_UNIT_TYPE.idrSlice),
): readonly Uint8Array[] {
  if (!joinable || sets.length === 0) return nalUnits;
  const types = nalUnits.map(nalUnitType);
  const firstSlice = types.findIndex(isCodedSlice);
  const ahead = types.slice(0, firstSlice === -1 ? types.length : firstSlice);
  const ownSequence = ahead.lastIndexOf(NAL_UNIT_TYPE.sequenceParameterSet);
  if (ownSequence === -1) {
    const at = ahead.lastIndexOf(NAL_UNIT_TYPE.accessUnitDelimiter) + 1;
    return [...nalUnits.slice(0, at), ...sets, ...nalUnits.slice(at)];
  }
  if (ahead.includes(NAL_UNIT_TYPE.pictureParameterSet)) return nalUnits;
  const picture = sets.filter((set) => nalUnitType(set) === NAL_UNIT_TYPE.pictureParameterSet);
  return [...nalUnits.slice(0, ownSequence + 1), ...picture, ...nalUnits.slice(ownSequence + 1)];
}

/** Returns the identifier of a sequence or picture parameter set; `undefined` for other NAL units and damaged ones. */
export function parameterSetId(nalUnit: Uint8Array): number | undefined {
  switch (nalUnitType(nalUnit)) {
    case NAL_UNIT_TYPE.sequenceParameterSet:
      // The identifier follows profile, constraints and level.
      return readId(nalUnit, 4, 31);
    case NAL_UNIT_TYPE.pictureParameterSet:
      return readId(nalUnit, 1, 255);
    default:
      return undefined;
  }
}

function readId(nalUnit: Uint8Array, from: number, idMax: number): number | undefined {
  const reader = new BitReader(nalUnit, from);
  const id = reader.unsigned();
  return reader.overrun || id > idMax ? undefined : id;
}
