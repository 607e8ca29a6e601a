/** Reads a fingerprint: 64 hexadecimal digits, in pairs with colons or without. `undefined` when it is not one. */
export function readFingerprint(text: string): string | undefined {
  const digits = text.replaceAll(':', '').toLowerCase();
  return /^[0-9a-f]{64}$/.test(digits) ? digits : undefined;
}
