import { nalUnitType } from './nal-unit.ts';

/** What the type in a payload's first byte means where it is not a NAL unit's (RFC 6184 §5.2, Table 1). */
export const PAYLOAD_TYPE = { stapA: 24, stapB: 25, mtap16: 26, mtap24: 27, fuA: 28, fuB: 29 } as const;

/** Whether the bytes can stand alone as a payload: types 1 to 23, whose meaning RFC 6184 leaves as it is. */
export function isSingleNalUnitPayload(payload: Uint8Array): boolean {
  const type = nalUnitType(payload);
  return type >= 1 && type < PAYLOAD_TYPE.stapA;
}
