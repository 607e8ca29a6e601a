import { BitReader } from '../nal/bit-reader.ts';
import { NalParameterSetTracker, type SetIdentity } from '../nal/parameter-set-tracker.ts';
import {
  H265_NAL_UNIT_TYPE,
  h265NalUnitType,
  isRandomAccessPoint,
  isSliceSegment,
  NAL_UNIT_HEADER_BYTES,
} from './nal-unit.ts';
import { PICTURE_ID_MAX } from './picture-parameter-set.ts';
import { readProfileTierLevel } from './profile-tier-level.ts';
import { SEQUENCE_ID_MAX } from './sequence-parameter-set.ts';

/** Keeps the latest parameter sets of a stream for decoders that join later. */
export class H265ParameterSetTracker extends NalParameterSetTracker {
  constructor() {
    super(identityOf);
  }
}

/** Returns the parameter sets among these NAL units: video, then sequence, then picture parameter sets. */
export function parameterSetsOf(nalUnits: readonly Uint8Array[]): Uint8Array[] {
  const { videoParameterSet, sequenceParameterSet, pictureParameterSet } = H265_NAL_UNIT_TYPE;
  return [videoParameterSet, sequenceParameterSet, pictureParameterSet].flatMap((type) => ofType(nalUnits, type));
}

/**
 * Adds missing parameter sets to a random access point, so that a decoder can join there: all of `sets` after its access
 * unit delimiter when it has no sequence parameter set of its own, otherwise the kinds that it lacks around that. Other
 * access units are returned unchanged.
 * @param joinable true to treat the access unit as a join point; by default when it is IDR, BLA or CRA.
 */
export function withH265ParameterSets(
  nalUnits: readonly Uint8Array[],
  sets: readonly Uint8Array[],
  joinable: boolean = nalUnits.some((nalUnit) => isRandomAccessPoint(h265NalUnitType(nalUnit))),
): readonly Uint8Array[] {
  if (!joinable || sets.length === 0) return nalUnits;
  const { videoParameterSet, sequenceParameterSet, pictureParameterSet, accessUnitDelimiter } = H265_NAL_UNIT_TYPE;
  const types = nalUnits.map(h265NalUnitType);
  const firstSlice = types.findIndex(isSliceSegment);
  const ahead = types.slice(0, firstSlice === -1 ? types.length : firstSlice);
  const start = ahead.lastIndexOf(accessUnitDelimiter) + 1;
  const ownSequence = ahead.lastIndexOf(sequenceParameterSet) + 1;
  if (ownSequence === 0) return [...nalUnits.slice(0, start), ...sets, ...nalUnits.slice(start)];
  const missing = (type: number) => (ahead.includes(type) ? [] : ofType(sets, type));
  return [
    ...nalUnits.slice(0, start),
    ...missing(videoParameterSet),
    ...nalUnits.slice(start, ownSequence),
    ...missing(pictureParameterSet),
    ...nalUnits.slice(ownSequence),
  ];
}

function ofType(nalUnits: readonly Uint8Array[], type: number): Uint8Array[] {
  return nalUnits.filter((nalUnit) => h265NalUnitType(nalUnit) === type);
}

/** Identifies a parameter set of the base layer; `undefined` for other NAL units and damaged ones. */
function identityOf(nalUnit: Uint8Array): SetIdentity | undefined {
  const reader = new BitReader(nalUnit, NAL_UNIT_HEADER_BYTES);
  switch (h265NalUnitType(nalUnit)) {
    case H265_NAL_UNIT_TYPE.videoParameterSet:
      return identity(0, reader.bits(4), reader);
    case H265_NAL_UNIT_TYPE.sequenceParameterSet: {
      reader.bits(4); // sps_video_parameter_set_id
      const subLayers = reader.bits(3);
      reader.flag(); // sps_temporal_id_nesting_flag
      readProfileTierLevel(reader, subLayers);
      const id = reader.unsigned();
      return id > SEQUENCE_ID_MAX ? undefined : identity(1, id, reader);
    }
    case H265_NAL_UNIT_TYPE.pictureParameterSet: {
      const id = reader.unsigned();
      return id > PICTURE_ID_MAX ? undefined : identity(2, id, reader);
    }
    default:
      return undefined;
  }
}

const identity = (kind: number, id: number, { overrun }: BitReader): SetIdentity | undefined =>
  overrun ? undefined : { kind, id };
