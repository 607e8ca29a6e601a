import { assert } from '../../base/assert.ts';
import { malformed, type Parsed, parsed } from '../../base/parsed.ts';
import type { NalConfiguration } from '../nal/nal-stream-format.ts';
import { H265_NAL_UNIT_TYPE, h265NalUnitType } from './nal-unit.ts';
import { parameterSetsOf } from './parameter-sets.ts';
import { type H265SequenceParameterSet, parseH265SequenceParameterSet } from './sequence-parameter-set.ts';

const FIXED_BYTES = 23;
const SET_BYTES_MAX = 0xffff;

/**
 * Parses an HEVCDecoderConfigurationRecord, called `hvcC` (ISO/IEC 14496-15 §8.3.3.1); the parameter sets are views:
 *
 *    +-------------+---------------------------+------------------------+-------------------+-------+
 *    | version = 1 | profile, tier, level (12) | segmentation … depths (6) | rates, lengths (3) | count |
 *    +-------------+---------------------------+------------------------+-------------------+-------+
 *    | C|0| type 6 | count 16 | length 16 | parameter set … |   for each type
 *    +-------------+----------+-----------+-----------------+
 *
 * C: array_completeness, 1 when the samples have no further sets of this type.
 */
export function parseHevcConfiguration(bytes: Uint8Array): Parsed<NalConfiguration> {
  if (bytes.length < FIXED_BYTES) return malformed('hvcc-too-short');
  // Early files have version 0 (written before the standard was final).
  if (bytes[0]! > 1) return malformed('hvcc-version');
  const lengthSize = (bytes[21]! & 3) + 1;
  if (lengthSize === 3) return malformed('hvcc-length-size');
  const sets: Uint8Array[] = [];
  let at = FIXED_BYTES;
  for (let arrays = bytes[22]!; arrays > 0; arrays -= 1) {
    if (at + 3 > bytes.length) return malformed('hvcc-array');
    const count = (bytes[at + 1]! << 8) | bytes[at + 2]!;
    at += 3;
    for (let index = 0; index < count; index += 1) {
      if (at + 2 > bytes.length) return malformed('hvcc-nal-unit');
      const end = at + 2 + ((bytes[at]! << 8) | bytes[at + 1]!);
      if (end > bytes.length) return malformed('hvcc-nal-unit');
      if (end > at + 2) sets.push(bytes.subarray(at + 2, end));
      at = end;
    }
  }
  return parsed({ lengthSize, parameterSets: parameterSetsOf(sets) });
}

/**
 * Serializes the record for these parameter sets, with lengths of 4 bytes; `undefined` when they lack a kind, a set is
 * longer than 65,535 bytes, or the first sequence parameter set is damaged.
 */
export function serializeHevcConfiguration(sets: readonly Uint8Array[]): Uint8Array | undefined {
  const { videoParameterSet, sequenceParameterSet, pictureParameterSet } = H265_NAL_UNIT_TYPE;
  const arrays = [videoParameterSet, sequenceParameterSet, pictureParameterSet].map((type) => ({
    type,
    sets: sets.filter((set) => h265NalUnitType(set) === type),
  }));
  if (arrays.some((array) => array.sets.length === 0) || sets.some(({ length }) => length > SET_BYTES_MAX)) {
    return undefined;
  }
  const sps = parseH265SequenceParameterSet(arrays[1]!.sets[0]!);
  if (!sps.ok) return undefined;
  const bytes = [1, ...formatBytes(sps.value), arrays.length];
  assert(bytes.length === FIXED_BYTES, 'the record begins with fields of a fixed length');
  for (const array of arrays) {
    bytes.push(0x80 | array.type, array.sets.length >> 8, array.sets.length & 0xff);
    for (const set of array.sets) bytes.push(set.length >> 8, set.length & 0xff, ...set);
  }
  return Uint8Array.from(bytes);
}

/** Bytes 1 to 21 of the record: segmentation, parallelism and frame rate are not stated (0). */
function formatBytes(sps: H265SequenceParameterSet): number[] {
  const { format, subLayers, temporalIdNesting, chromaFormat, bitDepthLuma, bitDepthChroma } = sps;
  const { profileSpace, highTier, profile, compatibility, constraints, level } = format;
  return [
    (profileSpace << 6) | (highTier ? 0x20 : 0) | profile,
    ...[24, 16, 8, 0].map((shift) => (compatibility >>> shift) & 0xff),
    ...constraints,
    level,
    ...[0xf0, 0, 0xfc],
    0xfc | chromaFormat,
    0xf8 | (bitDepthLuma - 8),
    0xf8 | (bitDepthChroma - 8),
    ...[0, 0],
    // Frames need not come at a constant rate; lengths of four bytes.
    (subLayers << 3) | (temporalIdNesting ? 4 : 0) | 3,
  ];
}
