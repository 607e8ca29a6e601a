/** Writing of ISO base media boxes (ISO/IEC 14496-12 §4.2): a size, a type of four characters, and the body. */

/** Returns a box with this body. */
export function box(type: string, ...parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 8);
  return Buffer.concat([uint32Bytes(length), ascii(type), ...parts]);
}

/** Returns a box with version and flags in front of its body. */
export function fullBox(type: string, version: number, flags: number, ...parts: readonly Uint8Array[]): Uint8Array {
  return box(type, uint32Bytes(version * 0x1000000 + flags), ...parts);
}

export const ascii = (text: string): Uint8Array => Buffer.from(text, 'latin1');
export const zeros = (count: number): Uint8Array => new Uint8Array(count);
export const uint16Bytes = (value: number): Uint8Array => Uint8Array.of((value >> 8) & 0xff, value & 0xff);
/** Serializes a value as big-endian; negative values in two's complement. */
export const uint32Bytes = (value: number): Uint8Array =>
  Uint8Array.of((value >>> 24) & 0xff, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
export const uint64Bytes = (value: number): Uint8Array =>
  Buffer.concat([uint32Bytes(Math.floor(value / 0x100000000)), uint32Bytes(value % 0x100000000)]);
