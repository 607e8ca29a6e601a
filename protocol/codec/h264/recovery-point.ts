import type { Entry } from '../codec.ts';
import { BitReader } from '../nal/bit-reader.ts';
import { seekMessage } from '../nal/supplemental-message.ts';
import { NAL_UNIT_TYPE, nalUnitType } from './nal-unit.ts';

/** payloadType of the recovery point message (H.264 §D.1.1). */
const RECOVERY_POINT = 6;
/** recovery_frame_cnt is below MaxFrameNum (§D.2.8). */
const RECOVERY_FRAMES_MAX = 65_535;

/**
 * Returns recovery_frame_cnt of an SEI NAL unit, 0 to 65,535; `undefined` without a recovery point message (§D.2.8).
 * Decoding can start with its access unit, and pictures are correct once frame_num has advanced by this count: 0 from
 * this picture on, more with gradual intra refresh.
 */
export function recoveryFrames(nalUnit: Uint8Array): number | undefined {
  const reader = new BitReader(nalUnit);
  if (!seekMessage(reader, RECOVERY_POINT)) return undefined;
  const frames = reader.unsigned();
  return reader.overrun || frames > RECOVERY_FRAMES_MAX ? undefined : frames;
}

/** Returns the quality of this key frame as a random access point. */
export function entryOf(parts: readonly Uint8Array[]): Entry {
  for (const nalUnit of parts) {
    const type = nalUnitType(nalUnit);
    if (type === NAL_UNIT_TYPE.idrSlice) return { recoveryFrames: 0, isSafe: true };
    const frames = type === NAL_UNIT_TYPE.supplementalEnhancement ? recoveryFrames(nalUnit) : undefined;
    if (frames !== undefined) return { recoveryFrames: frames, isSafe: true };
  }
  return { recoveryFrames: 0, isSafe: false };
}
