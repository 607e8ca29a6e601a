/** Reading of ISO base media boxes (ISO/IEC 14496-12 §4.2): a size, a type of four characters, and the body. */

export const BOX_HEADER_BYTES = 8;

/** The body of the box at the end of this path of types, the first child of its type at each step. */
export function descend(body: Uint8Array, path: readonly string[]): Uint8Array | undefined {
  let at: Uint8Array | undefined = body;
  for (const type of path) at = at && child(at, type);
  return at;
}

/** The body of the first child box of this type. */
export function child(body: Uint8Array, type: string): Uint8Array | undefined {
  for (const box of boxes(body)) if (box.type === type) return box.body;
  return undefined;
}

/** The bodies of all child boxes of this type. */
export function children(body: Uint8Array, type: string): Uint8Array[] {
  return [...boxes(body)].filter((box) => box.type === type).map((box) => box.body);
}

/** The child boxes in their order, up to the first that does not fit. */
export function* boxes(body: Uint8Array): Generator<{ readonly type: string; readonly body: Uint8Array }> {
  for (let offset = 0; offset + BOX_HEADER_BYTES <= body.length; ) {
    const size = uint32(body, offset);
    if (size < BOX_HEADER_BYTES || offset + size > body.length) return;
    yield { type: fourCharacters(body, offset + 4), body: body.subarray(offset + BOX_HEADER_BYTES, offset + size) };
    offset += size;
  }
}

/** Bytes past the end read as 0. */
export function uint32(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] ?? 0) * 0x1000000 + (((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0))
  );
}

/** Bytes past the end read as 0. Exact up to 2^53. */
export function uint64(bytes: Uint8Array, at: number): number {
  return uint32(bytes, at) * 0x100000000 + uint32(bytes, at + 4);
}

export function fourCharacters(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}
