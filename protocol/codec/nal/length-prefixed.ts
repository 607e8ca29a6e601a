/** NAL units of a sample, up to the first damage. */
export interface LengthPrefixed {
  /** Views of the NAL units before the damage. Empty NAL units are omitted. */
  readonly nalUnits: Uint8Array[];
  /** Reason why the rest is missing; `undefined` when it is complete. */
  readonly malformed: string | undefined;
}

/** Splits a sample of an MP4 or Matroska file, with a big-endian length in front of each NAL unit (§5.3.2). */
export function splitLengthPrefixed(bytes: Uint8Array, lengthSize: number): LengthPrefixed {
  const nalUnits: Uint8Array[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    if (offset + lengthSize > bytes.length) return { nalUnits, malformed: 'nal-length-truncated' };
    let length = 0;
    for (const byte of bytes.subarray(offset, offset + lengthSize)) length = length * 256 + byte;
    offset += lengthSize;
    if (length > bytes.length - offset) return { nalUnits, malformed: 'nal-length-beyond-end' };
    if (length > 0) nalUnits.push(bytes.subarray(offset, offset + length));
    offset += length;
  }
  return { nalUnits, malformed: undefined };
}

/** Joins NAL units to a sample with lengths of 4 bytes, for a decoder configured by `avcC`. */
export function joinLengthPrefixed(nalUnits: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const nalUnit of nalUnits) length += 4 + nalUnit.length;
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  let offset = 0;
  for (const nalUnit of nalUnits) {
    view.setUint32(offset, nalUnit.length);
    bytes.set(nalUnit, offset + 4);
    offset += 4 + nalUnit.length;
  }
  return bytes;
}
