import type { BitReader } from '../nal/bit-reader.ts';
import { readVideoSignal, type VideoSignal } from '../nal/video-signal.ts';
import { plausibleRate, readTickRate } from '../nal/video-usability.ts';

const REORDER_FRAMES_MAX = 16;

/** Elements of the video usability information needed for streaming. */
export interface VideoUsability {
  readonly framesPerSecond: number | undefined;
  readonly reorderFrames: number | undefined;
  readonly signal: VideoSignal;
}

/** Parses vui_parameters (H.264 §E.1.1). Elements after a damaged or missing end are `undefined`. */
export function readVideoUsability(reader: BitReader): VideoUsability {
  const signal = readVideoSignal(reader);
  const framesPerSecond = readTiming(reader);
  const nalDecoder = reader.flag();
  if (nalDecoder) skipDecoderParameters(reader);
  const vclDecoder = reader.flag();
  if (vclDecoder) skipDecoderParameters(reader);
  if (nalDecoder || vclDecoder) reader.flag(); // low_delay_hrd_flag
  reader.flag(); // pic_struct_present_flag
  const reorderFrames = reader.flag() ? readReorderFrames(reader) : undefined;
  return { framesPerSecond, reorderFrames, signal };
}

/** A tick is the duration of a field, so a frame takes two (§E.2.1, time_scale). */
function readTiming(reader: BitReader): number | undefined {
  if (!reader.flag()) return undefined;
  const framesPerSecond = plausibleRate(readTickRate(reader) / 2);
  reader.flag(); // fixed_frame_rate_flag
  return reader.overrun ? undefined : framesPerSecond;
}

/** Skips hrd_parameters (§E.1.2): up to 32 bit rates and buffer sizes, then the lengths of delays. */
function skipDecoderParameters(reader: BitReader): void {
  const count = reader.unsigned() + 1;
  reader.bits(8); // bit_rate_scale, cpb_size_scale
  for (let index = 0; index < count && !reader.overrun; index += 1) {
    reader.unsigned();
    reader.unsigned();
    reader.flag();
  }
  reader.bits(20);
}

/** bitstream_restriction: max_num_reorder_frames is the sixth element. */
function readReorderFrames(reader: BitReader): number | undefined {
  reader.flag(); // motion_vectors_over_pic_boundaries_flag
  for (let element = 0; element < 4; element += 1) reader.unsigned();
  const reorderFrames = reader.unsigned();
  return reader.overrun || reorderFrames > REORDER_FRAMES_MAX ? undefined : reorderFrames;
}
