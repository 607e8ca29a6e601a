import type { BitReader } from './bit-reader.ts';

/**
 * Advances the reader of an SEI NAL unit to the payload of its first message of this type, and returns true; false
 * when there is none. Messages consist of type, size and payload; type and size are sums of bytes up to the first that
 * is not 255 (H.264 §7.3.2.3.1, H.265 §7.3.5).
 */
export function seekMessage(reader: BitReader, wanted: number): boolean {
  while (!reader.overrun) {
    const type = readSum(reader);
    const size = readSum(reader);
    if (reader.overrun) return false;
    // At the stop bit of the NAL unit the type reads as 128 with size 0, which is not a message.
    if (type === wanted && size > 0) return true;
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
