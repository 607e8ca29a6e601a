import { concatenated } from '../base/concatenated.ts';

/** Writing of EBML elements (RFC 8794 §6): an identifier, a size, and the data. */

/** Size that says "unknown" (§6.2), eight bytes long. */
export const UNKNOWN_SIZE = Uint8Array.of(0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff);

/** Returns an element with a size of as many bytes as it needs. */
export function ebmlElement(id: number, ...data: readonly Uint8Array[]): Uint8Array {
  const length = data.reduce((sum, part) => sum + part.length, 0);
  return concatenated([identifier(id), sizeOf(length), ...data]);
}

/** Returns the beginning of an element whose size is unknown. */
export const openElement = (id: number): Uint8Array => concatenated([identifier(id), UNKNOWN_SIZE]);

/** Returns an element with an unsigned integer (§7.2), 0 to 2⁵³. */
export function unsignedElement(id: number, value: number): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; rest > 0 || bytes.length === 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return ebmlElement(id, Uint8Array.from(bytes));
}

/** Returns an element with an unsigned integer of eight bytes, so that its length is constant. */
export function fixedUnsignedElement(id: number, value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return ebmlElement(id, bytes);
}

/** Returns an element with a number of eight bytes (§7.3). */
export function floatElement(id: number, value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value);
  return ebmlElement(id, bytes);
}

/** Returns an element with ASCII text (§7.4). */
export const textElement = (id: number, text: string): Uint8Array =>
  ebmlElement(
    id,
    Uint8Array.from(text, (character) => character.charCodeAt(0)),
  );

/** The marker bits are part of an identifier. */
function identifier(id: number): Uint8Array {
  const bytes: number[] = [];
  for (let rest = id; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Uint8Array.from(bytes);
}

/** Returns a variable-size integer (§4.4); all bits set are reserved for the unknown size. */
function sizeOf(length: number): Uint8Array {
  let count = 1;
  while (length >= 2 ** (7 * count) - 1) count += 1;
  const bytes = new Uint8Array(count);
  let rest = length;
  for (let index = count - 1; index >= 0; index--) {
    bytes[index] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  bytes[0] = bytes[0]! | (0x80 >> (count - 1));
  return bytes;
}
