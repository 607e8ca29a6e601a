/**
 * Returns the decoder string of a byte stream, `avc1.PPCCLL` (RFC 6381 §3.3), from the three bytes after the header of a
 * sequence parameter set; `undefined` when it has none. Alone in its file, because pages load nothing else of the codec.
 */
export function decoderOfByteStream(annexB: Uint8Array): string | undefined {
  for (let at = 0; at + 6 < annexB.length; at += 1) {
    const startsHere = annexB[at] === 0 && annexB[at + 1] === 0 && annexB[at + 2] === 1;
    if (!startsHere || ((annexB[at + 3] ?? 0) & 0x1f) !== 7) continue;
    const bytes = annexB.subarray(at + 4, at + 7);
    return `avc1.${[...bytes].map((byte) => byte.toString(16).padStart(2, '0').toUpperCase()).join('')}`;
  }
  return undefined;
}
