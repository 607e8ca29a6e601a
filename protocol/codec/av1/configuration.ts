import type { Mp4Format } from '../codec.ts';
import { joinTemporalUnit } from './obu.ts';
import { type Av1SequenceHeader, parseAv1SequenceHeader } from './sequence-header.ts';

const MARKER_AND_VERSION = 0x81;
const RECORD_BYTES = 4;

/**
 * AV1CodecConfigurationRecord ("AV1 Codec ISO Media File Format Binding" §2.3), with the sequence header.
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |1|   version   |profile|  level  |T|H|W|M|x|y|pos|  0  |0|   0   |  then OBUs
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * T: tier. H, W: high_bitdepth, twelve_bit. M: monochrome. x, y: chroma subsampling. pos: chroma_sample_position.
 */
export function av1Configuration(sets: readonly Uint8Array[]): Uint8Array | undefined {
  const [set] = sets;
  const sequence = set && parseAv1SequenceHeader(set);
  if (!sequence) return undefined;
  const { profile, level, tier, color } = sequence;
  const [isHigh, isTwelve] = [color.bitDepth > 8 ? 1 : 0, color.bitDepth === 12 ? 1 : 0];
  const depths = (tier << 7) | (isHigh << 6) | (isTwelve << 5) | ((color.isMonochrome ? 1 : 0) << 4);
  const chroma = (color.subsamplingX << 3) | (color.subsamplingY << 2) | color.samplePosition;
  return Uint8Array.from([MARKER_AND_VERSION, (profile << 5) | level, depths | chroma, 0, ...joinTemporalUnit([set])]);
}

/** Returns the OBUs of a configuration record, in the low-overhead format; empty when it has none. */
export const av1ConfigurationObus = (record: Uint8Array): Uint8Array =>
  record[0] === MARKER_AND_VERSION ? record.subarray(RECORD_BYTES) : new Uint8Array(0);

/** RFC 6381 string ("AV1 Codec ISO Media File Format Binding" §5): profile, level and tier, bit depth. */
export function av1DecoderString({ profile, level, tier, color }: Av1SequenceHeader): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  return `av01.${profile}.${two(level)}${tier === 1 ? 'H' : 'M'}.${two(color.bitDepth)}`;
}

export const AV1_MP4: Mp4Format = {
  sampleEntry: 'av01',
  configurationBox: 'av1C',
  configuration: av1Configuration,
  keepsParameterSets: true,
  sample: joinTemporalUnit,
};
