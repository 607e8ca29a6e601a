import { assert } from '../../base/assert.ts';
import { malformed, type Parsed, parsed } from '../../base/parsed.ts';
import { NAL_UNIT_TYPE, nalUnitType } from './nal-unit.ts';
import { parseSequenceParameterSet } from './sequence-parameter-set.ts';

/** Profiles whose record continues with chroma format and bit depths (ISO/IEC 14496-15 §5.3.3.1.2). */
const PROFILES_WITH_EXTENSION: readonly number[] = [100, 110, 122, 144];
const FIXED_BYTES = 6;
const SEQUENCE_COUNT_MAX = 31;
const PICTURE_COUNT_MAX = 255;

/** Decoder configuration, called `avcC` in MP4 and Matroska files and in WebCodecs. */
export interface DecoderConfiguration {
  readonly profile: number;
  readonly constraints: number;
  readonly level: number;
  /** Size of the length in front of each NAL unit of a sample: 1, 2 or 4 bytes. */
  readonly lengthSize: number;
  readonly sequenceParameterSets: readonly Uint8Array[];
  readonly pictureParameterSets: readonly Uint8Array[];
}

/**
 * Parses an AVCDecoderConfigurationRecord (ISO/IEC 14496-15 §5.3.3.1); the parameter sets are views:
 *
 *    +---------------+---------------+---------------+---------------+---------------+---------------+
 *    |  version = 1  |    profile    |  constraints  |     level     |1 1 1 1 1 1|len|1 1 1|SPS count|
 *    +---------------+---------------+---------------+---------------+---------------+---------------+
 *    | SPS length 16 | SPS … | PPS count 8 | PPS length 16 | PPS … |
 *    +---------------+-------+-------------+---------------+-------+
 *
 * High profiles add chroma format, bit depths and SPS extensions, which are skipped because they repeat the SPS.
 */
export function parseDecoderConfiguration(bytes: Uint8Array): Parsed<DecoderConfiguration> {
  if (bytes.length < FIXED_BYTES + 1) return malformed('avcc-too-short');
  if (bytes[0] !== 1) return malformed('avcc-version');
  const lengthSize = (bytes[4]! & 3) + 1;
  if (lengthSize === 3) return malformed('avcc-length-size');
  const sequence = readSets(bytes, FIXED_BYTES, bytes[5]! & 0x1f);
  const pictureCount = sequence && bytes[sequence.end];
  if (sequence === undefined || pictureCount === undefined) return malformed('avcc-sps');
  const picture = readSets(bytes, sequence.end + 1, pictureCount);
  if (picture === undefined) return malformed('avcc-pps');
  return parsed({
    profile: bytes[1]!,
    constraints: bytes[2]!,
    level: bytes[3]!,
    lengthSize,
    sequenceParameterSets: sequence.sets,
    pictureParameterSets: picture.sets,
  });
}

/**
 * Serializes the record for these parameter sets, which must include a sequence parameter set of at least four bytes;
 * lengths are 4 bytes.
 */
export function serializeDecoderConfiguration(sets: readonly Uint8Array[]): Uint8Array {
  const sequence = sets.filter((set) => nalUnitType(set) === NAL_UNIT_TYPE.sequenceParameterSet);
  const picture = sets.filter((set) => nalUnitType(set) === NAL_UNIT_TYPE.pictureParameterSet);
  const first = sequence[0];
  assert(
    first !== undefined && first.length >= 4,
    'a decoder configuration must have a sequence parameter set with profile and level',
  );
  assert(sequence.length <= SEQUENCE_COUNT_MAX, 'the count of sequence parameter sets must fit in 5 bits');
  assert(picture.length <= PICTURE_COUNT_MAX, 'the count of picture parameter sets must fit in 8 bits');
  const bytes = [1, first[1]!, first[2]!, first[3]!, 0xff, 0xe0 | sequence.length];
  for (const set of sequence) appendSet(bytes, set);
  bytes.push(picture.length);
  for (const set of picture) appendSet(bytes, set);
  const sps = parseSequenceParameterSet(first);
  if (PROFILES_WITH_EXTENSION.includes(first[1]!) && sps.ok) {
    const { chromaFormat, bitDepthLuma, bitDepthChroma } = sps.value;
    bytes.push(0xfc | chromaFormat, 0xf8 | (bitDepthLuma - 8), 0xf8 | (bitDepthChroma - 8), 0);
  }
  return Uint8Array.from(bytes);
}

interface Sets {
  readonly sets: Uint8Array[];
  readonly end: number;
}

function readSets(bytes: Uint8Array, start: number, count: number): Sets | undefined {
  const sets: Uint8Array[] = [];
  let end = start;
  for (let index = 0; index < count; index += 1) {
    if (end + 2 > bytes.length) return undefined;
    const length = (bytes[end]! << 8) | bytes[end + 1]!;
    end += 2 + length;
    if (end > bytes.length) return undefined;
    if (length > 0) sets.push(bytes.subarray(end - length, end));
  }
  return { sets, end };
}

function appendSet(bytes: number[], set: Uint8Array): void {
  assert(set.length <= 0xffff, 'the length of a parameter set must fit in 16 bits');
  bytes.push(set.length >> 8, set.length & 0xff, ...set);
}
