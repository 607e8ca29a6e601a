/**
 * UTF-8, base64 and hexadecimal. Implemented here because the core is compiled without the hosts' `TextEncoder`, `atob`
 * and `Buffer`.
 */

const REPLACEMENT = 0xfffd;

/** Encodes UTF-8 (RFC 3629). An unpaired surrogate becomes U+FFFD. */
export function utf8Bytes(text: string): Uint8Array {
  // Three bytes per UTF-16 unit suffice: a code point of four bytes has two units.
  const target = new Uint8Array(text.length * 3);
  let length = 0;
  for (const character of text) {
    let point = character.codePointAt(0)!;
    if (point >= 0xd800 && point <= 0xdfff) point = REPLACEMENT;
    if (point < 0x80) {
      target[length++] = point;
    } else if (point < 0x800) {
      target[length++] = 0xc0 | (point >> 6);
      target[length++] = 0x80 | (point & 0x3f);
    } else if (point < 0x1_0000) {
      target[length++] = 0xe0 | (point >> 12);
      target[length++] = 0x80 | ((point >> 6) & 0x3f);
      target[length++] = 0x80 | (point & 0x3f);
    } else {
      target[length++] = 0xf0 | (point >> 18);
      target[length++] = 0x80 | ((point >> 12) & 0x3f);
      target[length++] = 0x80 | ((point >> 6) & 0x3f);
      target[length++] = 0x80 | (point & 0x3f);
    }
  }
  return target.slice(0, length);
}

/** Decodes UTF-8. Each byte outside a valid character becomes U+FFFD. */
export function utf8Text(bytes: Uint8Array): string {
  let text = '';
  for (let offset = 0; offset < bytes.length; ) {
    const { point, length } = characterAt(bytes, offset);
    text += String.fromCodePoint(point);
    offset += length;
  }
  return text;
}

function characterAt(bytes: Uint8Array, offset: number): { point: number; length: number } {
  const invalid = { point: REPLACEMENT, length: 1 };
  const lead = bytes[offset]!;
  if (lead < 0x80) return { point: lead, length: 1 };
  const length =
    lead >= 0xc2 && lead < 0xe0 ? 2 : lead >= 0xe0 && lead < 0xf0 ? 3 : lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
  if (length === 0 || offset + length > bytes.length) return invalid;
  let point = lead & (0x7f >> length);
  for (let index = 1; index < length; index++) {
    const continuation = bytes[offset + index]!;
    if ((continuation & 0xc0) !== 0x80) return invalid;
    point = (point << 6) | (continuation & 0x3f);
  }
  // Overlong (RFC 3629 §3), a surrogate, or beyond the last code point.
  if (length === 3 && (point < 0x800 || (point >= 0xd800 && point <= 0xdfff))) return invalid;
  if (length === 4 && (point < 0x1_0000 || point > 0x10_ffff)) return invalid;
  return { point, length };
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const BASE64_VALUES: ReadonlyMap<string, number> = new Map([...BASE64].map((digit, value) => [digit, value]));

/** Encodes base64 with padding (RFC 4648 §4). */
export function base64Text(bytes: Uint8Array): string {
  let text = '';
  for (let offset = 0; offset < bytes.length; offset += 3) {
    const left = bytes.length - offset;
    const group = (bytes[offset]! << 16) | ((bytes[offset + 1] ?? 0) << 8) | (bytes[offset + 2] ?? 0);
    text += BASE64[group >> 18]!;
    text += BASE64[(group >> 12) & 0x3f]!;
    text += left > 1 ? BASE64[(group >> 6) & 0x3f]! : '=';
    text += left > 2 ? BASE64[group & 0x3f]! : '=';
  }
  return text;
}

/** Decodes base64; `undefined` when invalid. Padding is optional, because some SDP writers omit it. */
export function base64Bytes(text: string): Uint8Array | undefined {
  const digits = text.replace(/={1,2}$/, '');
  if (digits.length % 4 === 1) return undefined;
  if (digits.length !== text.length && text.length % 4 !== 0) return undefined;
  const bytes = new Uint8Array(Math.floor((digits.length * 3) / 4));
  let group = 0;
  let bits = 0;
  let length = 0;
  for (const digit of digits) {
    const value = BASE64_VALUES.get(digit);
    if (value === undefined) return undefined;
    group = ((group << 6) | value) & 0xff_ffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes[length++] = group >> bits;
  }
  return bytes;
}

/** Encodes two lower-case hexadecimal digits per byte. */
export function hexText(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

/** Decodes hexadecimal of either case; `undefined` when invalid. */
export function hexBytes(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) return undefined;
  const bytes = new Uint8Array(text.length / 2);
  for (let index = 0; index < bytes.length; index++) {
    bytes[index] = Number.parseInt(text.slice(index * 2, index * 2 + 2), 16);
  }
  return bytes;
}
