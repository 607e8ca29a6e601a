import type { Importance } from '../protocol/access-unit.ts';
import { PAYLOAD_TYPE } from '../protocol/h264/payload-type.ts';
import { unpackPayloads } from '../protocol/h264/rtp-payload.ts';

const IDR_SLICE = 5;
const SEQUENCE_PARAMETER_SET = 7;

/** Whether a NAL unit begins in this payload: all are starts but the later fragments of an FU (RFC 6184 §5.8). */
export function startsNalUnit(payload: Uint8Array): boolean {
  const type = payload[0]! & 0x1f;
  return (type !== PAYLOAD_TYPE.fuA && type !== PAYLOAD_TYPE.fuB) || (payload[1]! & 0x80) !== 0;
}

/** What a stranger's frame is worth, read from its NAL unit headers (H.264 §7.4.1); `undefined` if they are no frame. */
export function payloadsImportance(payloads: readonly Uint8Array[]): Importance | undefined {
  const nalUnits = unpackPayloads(payloads);
  if (!nalUnits.ok) return undefined;
  let reference = false;
  for (const nalUnit of nalUnits.value) {
    const type = nalUnit[0]! & 0x1f;
    if (type === IDR_SLICE || type === SEQUENCE_PARAMETER_SET) return 'key';
    if (type >= 1 && type <= 4 && (nalUnit[0]! & 0x60) !== 0) reference = true;
  }
  return reference ? 'reference' : 'discardable';
}
