import type { BitReader } from '../nal/bit-reader.ts';
import { readVideoSignal, type VideoSignal } from '../nal/video-signal.ts';
import { plausibleRate, readTickRate } from '../nal/video-usability.ts';

/** Elements of the video usability information needed for streaming. */
export interface H265VideoUsability {
  /** Pictures per second, when plausible. */
  readonly framesPerSecond: number | undefined;
  readonly signal: VideoSignal;
}

/** Parses vui_parameters (H.265 §E.2.1) up to the timing. */
export function readH265VideoUsability(reader: BitReader): H265VideoUsability {
  const signal = readVideoSignal(reader);
  return { signal, framesPerSecond: readPictureRate(reader) };
}

function readPictureRate(reader: BitReader): number | undefined {
  reader.bits(3); // neutral_chroma_indication_flag, field_seq_flag, frame_field_info_present_flag
  if (reader.flag()) for (let edge = 0; edge < 4; edge += 1) reader.unsigned(); // default display window
  if (!reader.flag()) return undefined;
  // A tick is the duration of a picture, unlike in H.264 (§E.3.1).
  const rate = plausibleRate(readTickRate(reader));
  return reader.overrun ? undefined : rate;
}
