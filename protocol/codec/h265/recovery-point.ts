import type { Entry } from '../codec.ts';
import { BitReader } from '../nal/bit-reader.ts';
import { seekMessage } from '../nal/supplemental-message.ts';
import { H265_NAL_UNIT_TYPE, h265NalUnitType, isRandomAccessPoint, NAL_UNIT_HEADER_BYTES } from './nal-unit.ts';

/** payloadType of the recovery point message (H.265 §D.2.1). */
const RECOVERY_POINT = 6;
/** recovery_poc_cnt is below MaxPicOrderCntLsb / 2 (§D.3.8). */
const RECOVERY_PICTURES_MAX = 32_767;

/**
 * Returns recovery_poc_cnt of an SEI NAL unit, 0 to 32,767: pictures are correct from the one whose order count is that
 * much higher (gradual decoding refresh, §D.3.8). `undefined` without a recovery point message, or when it names an
 * earlier picture.
 */
export function recoveryPictures(nalUnit: Uint8Array): number | undefined {
  const reader = new BitReader(nalUnit, NAL_UNIT_HEADER_BYTES);
  if (!seekMessage(reader, RECOVERY_POINT)) return undefined;
  const pictures = reader.signed();
  return reader.overrun || pictures < 0 || pictures > RECOVERY_PICTURES_MAX ? undefined : pictures;
}

/** Returns the quality of this key frame as a random access point. */
export function h265Entry(parts: readonly Uint8Array[]): Entry {
  for (const nalUnit of parts) {
    const type = h265NalUnitType(nalUnit);
    if (isRandomAccessPoint(type)) return { recoveryFrames: 0, isSafe: true };
    const pictures = type === H265_NAL_UNIT_TYPE.prefixInformation ? recoveryPictures(nalUnit) : undefined;
    if (pictures !== undefined) return { recoveryFrames: pictures, isSafe: true };
  }
  return { recoveryFrames: 0, isSafe: false };
}
