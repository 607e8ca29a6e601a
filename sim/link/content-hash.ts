/**
 * A 64-bit fingerprint of numbers of 32 bits each, as 16 hexadecimal digits: tells one trace from another. Not made
 * against people who want two to look alike.
 */
export function contentHash(words: Iterable<number>): string {
  let one = 0x9e3779b9;
  let other = 0x85ebca6b;
  for (const word of words) {
    one = Math.imul(one ^ word, 0x01000193);
    one ^= one >>> 15;
    other = Math.imul(other + word, 0xc2b2ae35);
    other ^= other >>> 13;
  }
  const digits = (value: number) => (value >>> 0).toString(16).padStart(8, '0');
  return digits(one) + digits(other);
}
