import { BitReader } from './bit-reader.ts';

/** payloadType of the recovery point message (H.264 §D.1.1). */
const RECOVERY_POINT = 6;

/**
 * Whether an SEI NAL unit says that decoding can start with this access unit (§D.2.8). Messages follow each other as
 * type, size and payload; type and size are sums of bytes up to the first that is not 255 (§7.3.2.3.1).
 */
export function hasRecoveryPoint(nalUnit: Uint8Array): boolean {
  const reader = new BitReader(nalUnit);
  while (!reader.overrun) {
    const type = readSum(reader);
    const size = readSum(reader);
    if (reader.overrun) return false;
    // Where the payload should start, the stop bit of the NAL unit would give type 128: no message.
    if (type === RECOVERY_POINT && size > 0) return true;
    for (let skipped = 0; skipped < size && !reader.overrun; skipped += 1) reader.bits(8);
  }
  return false;
}

function readSum(reader: BitReader): number {
  let sum = 0;
  for (;;) {
    const byte = reader.bits(8);
    sum += byte;
    if (byte !== 255) return sum;
  }
}
