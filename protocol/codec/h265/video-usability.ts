import type { BitReader } from '../nal/bit-reader.ts';

/** aspect_ratio_idc with explicit width and height (Table E.1). */
const EXTENDED_SAMPLE_ASPECT = 255;
/** Beyond these, the timing fields do not hold a picture rate but 0, a placeholder, or a tick of the system clock. */
const PICTURES_PER_SECOND_MIN = 1;
const PICTURES_PER_SECOND_MAX = 1000;

/** Parses vui_parameters (H.265 §E.2.1) up to the timing; returns the picture rate, when it is plausible. */
export function readPictureRate(reader: BitReader): number | undefined {
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
  reader.bits(3); // neutral_chroma_indication_flag, field_seq_flag, frame_field_info_present_flag
  if (reader.flag()) for (let edge = 0; edge < 4; edge += 1) reader.unsigned(); // default display window
  if (!reader.flag()) return undefined;
  const unitsInTick = reader.bits(32);
  const timeScale = reader.bits(32);
  // A tick is the duration of a picture, unlike in H.264 (§E.3.1).
  const rate = timeScale / unitsInTick;
  return !reader.overrun && rate >= PICTURES_PER_SECOND_MIN && rate <= PICTURES_PER_SECOND_MAX ? rate : undefined;
}
