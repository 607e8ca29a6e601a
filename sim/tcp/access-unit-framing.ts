import type { AccessUnit, Importance } from '../../protocol/access-unit.ts';
import { assert } from '../../protocol/base/assert.ts';
import { readUint16, readUint32, writeUint16, writeUint32 } from '../../protocol/base/big-endian.ts';
import { ByteAccumulator } from '../../protocol/base/byte-accumulator.ts';
import { ticks } from '../../protocol/base/units.ts';

/** Stream of an access unit on a connection that carries pictures and sound. */
export type CarriedStream = 'video' | 'sound';

/** An access unit and its frame number, as carried on a byte stream. */
export interface NumberedUnit {
  readonly stream: CarriedStream;
  /** Counts the units of its stream. */
  readonly frame: number;
  readonly unit: AccessUnit;
  /** Size on the stream, bytes, header included. */
  readonly bytes: number;
}

/**
 * One access unit on a byte stream:
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |               bytes after this field                          |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |                        frame number                           |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |            timestamp, 64 bits, two's complement               |
 *    |                                                               |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |             timestamp − decode timestamp                      |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |N|S|      importance           |       number of parts         |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |           length of the first part, then its bytes ...       |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * N: decoded and not shown. S: a unit of the sound.
 */
const LENGTH_BYTES = 4;
const HEADER_BYTES = 20;
const DECODE_ONLY = 0x8000;
const SOUND = 0x4000;
const IMPORTANCES: readonly Importance[] = ['key', 'reference', 'discardable'];
/** Upper bound of an access unit, bytes. A larger announced length means that the stream is not ours. */
const UNIT_BYTES_MAX = 64 * 1_024 * 1_024;

export function frameAccessUnit(frame: number, unit: AccessUnit, stream: CarriedStream = 'video'): Uint8Array {
  const { parts, timestamp, decodeTimestamp, importance } = unit;
  const bytes = parts.reduce((sum, { length }) => sum + LENGTH_BYTES + length, HEADER_BYTES);
  assert(bytes <= UNIT_BYTES_MAX, "the access unit must not exceed the receiver's limit");
  const target = new Uint8Array(LENGTH_BYTES + bytes);
  writeUint32(target, 0, bytes);
  writeUint32(target, 4, frame);
  writeUint32(target, 8, Math.floor(timestamp / 2 ** 32));
  writeUint32(target, 12, timestamp >>> 0);
  writeUint32(target, 16, timestamp - decodeTimestamp);
  const flags = (unit.decodeOnly === true ? DECODE_ONLY : 0) | (stream === 'sound' ? SOUND : 0);
  writeUint16(target, 20, IMPORTANCES.indexOf(importance) | flags);
  writeUint16(target, 22, parts.length);
  let offset = LENGTH_BYTES + HEADER_BYTES;
  for (const part of parts) {
    writeUint32(target, offset, part.length);
    target.set(part, offset + LENGTH_BYTES);
    offset += LENGTH_BYTES + part.length;
  }
  return target;
}

/** Restores access units from a byte stream cut at arbitrary places. Buffers at most one incomplete unit. */
export class AccessUnitDeframer {
  #header = new ByteAccumulator(LENGTH_BYTES);
  #body: ByteAccumulator | undefined;
  #broken = false;

  /**
   * Returns the units completed by this chunk, or `malformed` when the stream is invalid; it cannot recover from that.
   */
  push(chunk: Uint8Array): NumberedUnit[] | 'malformed' {
    const units: NumberedUnit[] = [];
    let offset = 0;
    while (offset < chunk.length && !this.#broken) {
      const target: ByteAccumulator = this.#body ?? this.#header;
      const bytes = Math.min(target.missing, chunk.length - offset);
      target.append(chunk.subarray(offset, offset + bytes));
      offset += bytes;
      if (target.missing > 0) break;
      if (this.#body === undefined) this.#begin(readUint32(target.take(), 0));
      else {
        const unit = parseUnit(target.take());
        if (unit) units.push(unit);
        else this.#broken = true;
        this.#body = undefined;
      }
    }
    return this.#broken ? 'malformed' : units;
  }

  #begin(bytes: number): void {
    this.#header = new ByteAccumulator(LENGTH_BYTES);
    this.#broken = bytes < HEADER_BYTES || bytes > UNIT_BYTES_MAX;
    this.#body = new ByteAccumulator(bytes);
  }
}

/** Parses the body of a unit. Offsets are those of the diagram minus the length field. */
function parseUnit(body: Uint8Array): NumberedUnit | undefined {
  const flags = readUint16(body, 16);
  const importance = IMPORTANCES[flags & ~(DECODE_ONLY | SOUND)];
  const timestamp = ticks((readUint32(body, 4) | 0) * 2 ** 32 + readUint32(body, 8));
  const parts: Uint8Array[] = [];
  let offset = HEADER_BYTES;
  for (let left = readUint16(body, 18); left > 0; left--) {
    if (offset + LENGTH_BYTES > body.length) return undefined;
    const end = offset + LENGTH_BYTES + readUint32(body, offset);
    if (end > body.length) return undefined;
    parts.push(body.subarray(offset + LENGTH_BYTES, end));
    offset = end;
  }
  if (importance === undefined || offset !== body.length) return undefined;
  const decodeOnly = (flags & DECODE_ONLY) !== 0;
  const shared = { parts, timestamp, decodeTimestamp: ticks(timestamp - readUint32(body, 12)), importance };
  const unit: AccessUnit = decodeOnly ? { ...shared, decodeOnly } : shared;
  const stream = (flags & SOUND) !== 0 ? 'sound' : 'video';
  return { stream, frame: readUint32(body, 0), unit, bytes: LENGTH_BYTES + body.length };
}
