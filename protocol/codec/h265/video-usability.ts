import type { BitReader } from '../nal/bit-reader.ts';
import { plausibleRate, readTickRate, skipVideoSignal } from '../nal/video-usability.ts';

/** Parses vui_parameters (H.265 §E.2.1) up to the timing; returns the picture rate, when it is plausible. */
export function readPictureRate(reader: BitReader): number | undefined {
  skipVideoSignal(reader);
  reader.bits(3); // neutral_chroma_indication_flag, field_seq_flag, frame_field_info_present_flag
  if (reader.flag()) for (let edge = 0; edge < 4; edge += 1) reader.unsigned(); // default display window
  if (!reader.flag()) return undefined;
  // A tick is the duration of a picture, unlike in H.264 (§E.3.1).
  const rate = plausibleRate(readTickRate(reader));
  return reader.overrun ? undefined : rate;
}
