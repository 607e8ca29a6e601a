import { open } from 'node:fs/promises';
import { readFileBytes } from '../mp4/mp4-structure.ts';

/** Properties of a Matroska or WebM file that mediabunny does not report. */
export interface MatroskaStructure {
  /** True when there is foreign data between the elements; the reader loses what follows it. */
  readonly hasJunk: boolean;
  /** True when an element extends past the end of the file; `undefined` when unknown. */
  readonly isCut: boolean | undefined;
}

const EBML = 0x1a45dfa3;
const SEGMENT = 0x18538067;
/** Identifiers of the elements of a segment (RFC 9559 §5.1), including Void and CRC-32. */
const LEVEL_1: ReadonlySet<number> = new Set([
  ...[0x114d9b74, 0x1549a966, 0x1654ae6b, 0x1f43b675, 0x1c53bb6b, 0x1941a469, 0x1043a770, 0x1254c367, 0xec, 0xbf],
]);
/** Limit of elements examined: a day of five-second clusters, which takes a few seconds to scan. */
const ELEMENTS_MAX = 20_000;

/** Scans the element headers of the segment. Returns `undefined` when the file is of another format. */
export async function readMatroskaStructure(path: string): Promise<MatroskaStructure | undefined> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const header = readHead(await readFileBytes(file, 0, 12));
    if (header?.id !== EBML || header.bytes === undefined) return undefined;
    let offset = header.headBytes + header.bytes;
    const segment = readHead(await readFileBytes(file, offset, 12));
    if (segment?.id !== SEGMENT) return undefined;
    offset += segment.headBytes;
    const end = segment.bytes === undefined ? undefined : offset + segment.bytes;
    for (let count = 0; count < ELEMENTS_MAX; count += 1) {
      if (offset >= size || offset >= (end ?? size)) {
        return { hasJunk: false, isCut: offset > size || (end !== undefined && end > size) };
      }
      const element = readHead(await readFileBytes(file, offset, 12));
      if (element === undefined || !LEVEL_1.has(element.id))
        return { hasJunk: offset < (end ?? size), isCut: undefined };
      // Unknown length, as in live recordings: the end can be found only by parsing the content.
      if (element.bytes === undefined) return { hasJunk: false, isCut: undefined };
      offset += element.headBytes + element.bytes;
    }
    return { hasJunk: false, isCut: undefined };
  } finally {
    await file.close();
  }
}

/** Parses an element's identifier and length (RFC 8794 §5, §6). A length of all ones is unknown. */
function readHead(
  bytes: Uint8Array,
): { readonly id: number; readonly bytes: number | undefined; readonly headBytes: number } | undefined {
  const idBytes = Math.clz32(bytes[0] ?? 0) - 23;
  if (idBytes > 4 || bytes.length <= idBytes) return undefined;
  let id = 0;
  for (let at = 0; at < idBytes; at += 1) id = id * 256 + bytes[at]!;
  const first = bytes[idBytes]!;
  const lengthBytes = Math.clz32(first) - 23;
  if (lengthBytes > 8 || bytes.length < idBytes + lengthBytes) return undefined;
  let length = first & (0xff >> lengthBytes);
  let isUnknown = length === 0xff >> lengthBytes;
  for (let at = 1; at < lengthBytes; at += 1) {
    const byte = bytes[idBytes + at]!;
    length = length * 256 + byte;
    isUnknown &&= byte === 0xff;
  }
  return { id, bytes: isUnknown ? undefined : length, headBytes: idBytes + lengthBytes };
}
