import { nalUnitType } from './nal-unit.ts';

/** Types in a payload's first byte that are not NAL unit types (RFC 6184 §5.2, Table 1). */
export const PAYLOAD_TYPE = { stapA: 24, stapB: 25, mtap16: 26, mtap24: 27, fuA: 28, fuB: 29 } as const;

/** True when the bytes can be a payload by themselves: types 1 to 23, which keep their meaning in RFC 6184. */
export function isSingleNalUnitPayload(payload: Uint8Array): boolean {
  const type = nalUnitType(payload);
  return type >= 1 && type < PAYLOAD_TYPE.stapA;
}
