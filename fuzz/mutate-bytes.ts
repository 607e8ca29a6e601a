import type { Chance } from './chance.ts';

/** Values at which lengths, counters and signs change. */
const INTERESTING = [0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 63, 64, 100, 127, 128, 254, 255] as const;
const INTERESTING_WIDE = [
  0, 1, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xfffe, 0xffff, 0x1_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff,
] as const;
const INSERTED_BYTES_MAX = 64;

/** Changes bytes without knowledge of their format. */
export function mutateBytes(bytes: Uint8Array, chance: Chance): Uint8Array {
  if (bytes.length === 0) return Uint8Array.of(chance.below(256));
  const at = chance.below(bytes.length);
  switch (chance.below(9)) {
    case 0:
      return withByte(bytes, at, bytes[at]! ^ (1 << chance.below(8)));
    case 1:
      return withByte(bytes, at, chance.below(256));
    case 2:
      return withByte(bytes, at, chance.of(INTERESTING));
    case 3:
      return withByte(bytes, at, bytes[at]! + chance.small(16) - 8);
    case 4:
      return withNumber(bytes, at, { width: chance.of([2, 4]), value: chance.of(INTERESTING_WIDE) });
    case 5:
      return bytes.slice(0, at);
    case 6:
      return without(bytes, at, chance.small(bytes.length - at) + 1);
    case 7: {
      const inserted = Uint8Array.from({ length: chance.small(INSERTED_BYTES_MAX) + 1 }, () => chance.below(256));
      return withInserted(bytes, at, inserted);
    }
    default: {
      const from = chance.below(bytes.length);
      return withInserted(bytes, at, bytes.subarray(from, from + chance.small(bytes.length - from) + 1));
    }
  }
}

export function withByte(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const changed = bytes.slice();
  changed[at] = value;
  return changed;
}

/** Writes a big-endian number; bytes beyond the end are omitted. */
export function withNumber(
  bytes: Uint8Array,
  at: number,
  { width, value }: { readonly width: number; readonly value: number },
): Uint8Array {
  const changed = bytes.slice();
  for (let index = 0; index < width && at + index < changed.length; index++) {
    changed[at + index] = Math.floor(value / 256 ** (width - 1 - index));
  }
  return changed;
}

export function without(bytes: Uint8Array, at: number, count: number): Uint8Array {
  const kept = new Uint8Array(bytes.length - Math.min(count, bytes.length - at));
  kept.set(bytes.subarray(0, at));
  kept.set(bytes.subarray(at + count), at);
  return kept;
}

export function withInserted(bytes: Uint8Array, at: number, inserted: Uint8Array): Uint8Array {
  const longer = new Uint8Array(bytes.length + inserted.length);
  longer.set(bytes.subarray(0, at));
  longer.set(inserted, at);
  longer.set(bytes.subarray(at), at + inserted.length);
  return longer;
}
