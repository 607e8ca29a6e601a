import type { BitReader } from './bit-reader.ts';

/** aspect_ratio_idc with explicit width and height (H.264 Table E-1, H.265 Table E.1). */
const EXTENDED_SAMPLE_ASPECT = 255;
/** Beyond these, the timing fields do not hold a picture rate but 0, a placeholder, or a tick of the system clock. */
const PICTURES_PER_SECOND_MIN = 1;
const PICTURES_PER_SECOND_MAX = 1_000;

/** Skips the elements with which vui_parameters begin in H.264 (§E.1.1) and H.265 (§E.2.1) alike. */
export function skipVideoSignal(reader: BitReader): void {
  if (reader.flag() && reader.bits(8) === EXTENDED_SAMPLE_ASPECT) reader.bits(32);
  if (reader.flag()) reader.flag(); // overscan
  if (reader.flag()) {
    reader.bits(4); // video_format, video_full_range_flag
    if (reader.flag()) reader.bits(24); // color primaries, transfer, matrix
  }
  if (reader.flag()) {
    reader.unsigned(); // chroma_sample_loc_type_top_field
    reader.unsigned(); // chroma_sample_loc_type_bottom_field
  }
}

/** Reads num_units_in_tick and time_scale. @returns ticks per second; not a number without a tick. */
export function readTickRate(reader: BitReader): number {
  const unitsInTick = reader.bits(32);
  return reader.bits(32) / unitsInTick;
}

/** Returns a picture rate if it is one. */
export const plausibleRate = (rate: number): number | undefined =>
  rate >= PICTURES_PER_SECOND_MIN && rate <= PICTURES_PER_SECOND_MAX ? rate : undefined;
