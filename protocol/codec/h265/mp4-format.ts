import type { Mp4Format } from '../codec.ts';
import { joinLengthPrefixed } from '../nal/length-prefixed.ts';
import { serializeHevcConfiguration } from './decoder-configuration.ts';

/** Sample entry of streams whose parameter sets are in the sample entry (ISO/IEC 14496-15 §8.4.1). */
export const SAMPLE_ENTRY = 'hvc1';

/** H.265 in H265_MP4 (ISO/IEC 14496-15 §8), with lengths of four bytes. */
export const H265_MP4: Mp4Format = {
  sampleEntry: SAMPLE_ENTRY,
  configurationBox: 'hvcC',
  configuration: serializeHevcConfiguration,
  sample: joinLengthPrefixed,
};
