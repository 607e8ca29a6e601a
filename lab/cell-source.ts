import { createHash } from 'node:crypto';
import type { AccessUnit, Importance } from '../protocol/access-unit.ts';
import { assert } from '../protocol/base/assert.ts';
import { CLOCK_RATE } from '../protocol/base/instant.ts';
import { SyntheticStream } from '../sim/synthetic-stream.ts';
import type { Traces } from './cell.ts';

/** What is streamed, as far as it decides the result. */
export type SourceDescription =
  | {
      readonly kind: 'synthetic';
      readonly fps: number;
      readonly kbps: number;
      readonly keyInterval: number;
      readonly keyFrameRatio: number;
      readonly frames: number;
    }
  | {
      readonly kind: 'file';
      /** Without its folder: the same file elsewhere is the same source. */
      readonly name: string;
      /** Of the access units, their bytes and their times. */
      readonly sha256: string;
      readonly frames: number;
      readonly framesPerSecond: number;
      readonly bytes: number;
      /** Mean distance of key frames, in frames. */
      readonly keyInterval: number;
    };

/** Access units in flat memory that all threads can read without a copy. */
export interface PackedUnits {
  readonly bytes: SharedArrayBuffer;
  /** For each access unit: timestamp, decode timestamp, importance, and how many parts it has. */
  readonly units: Float64Array;
  readonly partBytes: Uint32Array;
}

const IMPORTANCES: readonly Importance[] = ['key', 'reference', 'discardable'];
const UNIT_FIELDS = 4;

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

/** The access units again, as views of the same memory. */
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
      timestamp: units[field]!,
      decodeTimestamp: units[field + 1]!,
      importance: IMPORTANCES[units[field + 2]!]!,
    };
  }
}

export function hashUnits({ bytes, units, partBytes }: PackedUnits): string {
  const hash = createHash('sha256');
  for (const part of [units, partBytes]) hash.update(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
  return hash.update(new Uint8Array(bytes)).digest('hex');
}

/** Files by the hash of their units. */
export type PackedFiles = ReadonlyMap<string, PackedUnits>;

/** The content of all files that cells name. */
export interface CellFiles {
  readonly media: PackedFiles;
  readonly traces: Traces;
}

export const NO_FILES: CellFiles = { media: new Map(), traces: new Map() };

/** The access units of a source, one by one. @param files those that the cells stream. */
export function openSource(source: SourceDescription, files: PackedFiles): () => AccessUnit | undefined {
  if (source.kind === 'file') {
    const packed = files.get(source.sha256);
    assert(packed !== undefined, 'a file that cells stream was read before');
    const units = unpackUnits(packed);
    return () => units.next().value as AccessUnit | undefined;
  }
  const { fps, frames, keyInterval } = source;
  const stream = new SyntheticStream({ framesPerSecond: fps, keyInterval, frames, seed: 1, ...frameBytes(source) });
  return () => stream.next();
}

/** Sizes that come to the bit rate over a whole group of pictures. */
function frameBytes({ fps, kbps, keyInterval, keyFrameRatio }: SourceDescription & { kind: 'synthetic' }) {
  const group = (kbps * 125 * keyInterval) / fps;
  const frame = group / (keyInterval - 1 + keyFrameRatio);
  return { frameBytes: Math.max(2, Math.round(frame)), keyFrameBytes: Math.max(2, Math.round(frame * keyFrameRatio)) };
}

/** Frames handed over before this much of the stream has passed. */
export function framesBefore(source: SourceDescription, files: PackedFiles, seconds: number): number {
  if (source.kind === 'synthetic') return Math.ceil(seconds * source.fps);
  const units = files.get(source.sha256)!.units;
  const first = units[1] ?? 0;
  let frames = 0;
  while (frames < source.frames && units[frames * UNIT_FIELDS + 1]! - first < seconds * CLOCK_RATE) frames++;
  return frames;
}

export const framesPerSecondOf = (source: SourceDescription): number =>
  source.kind === 'synthetic' ? source.fps : source.framesPerSecond;

/** Bits a second of the access units. */
export const rateOf = (source: SourceDescription): number =>
  source.kind === 'synthetic' ? source.kbps * 1_000 : (source.bytes * 8 * source.framesPerSecond) / source.frames;

export const secondsOf = (source: SourceDescription): number => source.frames / framesPerSecondOf(source);

/** A few words for a table. */
export function labelOf(source: SourceDescription): string {
  if (source.kind === 'file') return source.name;
  const { kbps, fps, keyInterval } = source;
  return `synthetic ${kbps}kbps ${fps}fps key=${keyInterval}`;
}
