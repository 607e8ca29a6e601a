import { createHash } from 'node:crypto';
import type { AccessUnit, Importance } from '../protocol/access-unit.ts';
import { ticks } from '../protocol/base/units.ts';

/** Access units in shared memory, readable by all threads without copies. */
export interface PackedUnits {
  readonly bytes: SharedArrayBuffer;
  /** Per access unit: timestamp, decode timestamp, importance, number of parts. */
  readonly units: Float64Array;
  readonly partBytes: Uint32Array;
}

const IMPORTANCES: readonly Importance[] = ['key', 'reference', 'discardable'];
/** Numbers of an access unit in `PackedUnits.units`. */
export const UNIT_FIELDS = 4;

export function packUnits(units: readonly AccessUnit[]): PackedUnits {
  const parts = units.flatMap((unit) => unit.parts);
  const lengths = Uint32Array.from(parts, (part) => part.length);
  const bytes = new SharedArrayBuffer(lengths.reduce((sum, length) => sum + length, 0));
  const target = new Uint8Array(bytes);
  let offset = 0;
  for (const part of parts) {
    target.set(part, offset);
    offset += part.length;
  }
  const fields = units.flatMap(({ timestamp, decodeTimestamp, importance, parts: { length } }) => {
    return [timestamp, decodeTimestamp, IMPORTANCES.indexOf(importance), length];
  });
  return { bytes, units: Float64Array.from(fields), partBytes: lengths };
}

/** Restores the access units, as views into the shared memory. */
export function* unpackUnits({ bytes, units, partBytes }: PackedUnits): Generator<AccessUnit> {
  let part = 0;
  let offset = 0;
  for (let field = 0; field < units.length; field += UNIT_FIELDS) {
    const parts: Uint8Array[] = [];
    for (let i = 0; i < units[field + 3]!; i++) {
      const length = partBytes[part++]!;
      parts.push(new Uint8Array(bytes, offset, length));
      offset += length;
    }
    yield {
      parts,
      timestamp: ticks(units[field]!),
      decodeTimestamp: ticks(units[field + 1]!),
      importance: IMPORTANCES[units[field + 2]!]!,
    };
  }
}

export function hashUnits({ bytes, units, partBytes }: PackedUnits): string {
  const hash = createHash('sha256');
  for (const part of [units, partBytes]) hash.update(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
  return hash.update(new Uint8Array(bytes)).digest('hex');
}

/** Packed files by the SHA-256 of their units. */
export type PackedFiles = ReadonlyMap<string, PackedUnits>;
