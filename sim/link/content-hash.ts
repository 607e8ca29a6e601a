/**
 * Returns a 64-bit, non-cryptographic hash of 32-bit words as 16 hexadecimal digits. It distinguishes traces; it does
 * not resist deliberate collisions.
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
