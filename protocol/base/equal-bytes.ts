/** True when both have the same bytes. Not for secrets: the time depends on the content. */
export function equalBytes(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false;
  for (let at = 0; at < one.length; at++) if (one[at] !== other[at]) return false;
  return true;
}

/** True when two lists hold equal bytes in the same order. */
export const equalLists = (one: readonly Uint8Array[], other: readonly Uint8Array[]): boolean =>
  one.length === other.length && one.every((bytes, index) => equalBytes(bytes, other[index]!));
