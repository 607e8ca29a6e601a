import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AccessUnit } from '../protocol/access-unit.ts';
import { ticks } from '../protocol/base/units.ts';
import { splitAnnexB } from '../protocol/codec/nal/annex-b.ts';

/**
 * The ready-made clip: 30 frames per second, a key frame every second, no B-frames, a delimiter before each picture.
 */
export const SAMPLE = join(import.meta.dirname, '../samples/counter.h264');

const TICKS_PER_FRAME = 3_000;

/** Returns the clip as access units. Relies on the structure of our own sample instead of parsing. */
export function sampleUnits(file = SAMPLE): AccessUnit[] {
  const pictures: Uint8Array[][] = [];
  for (const nalUnit of splitAnnexB(readFileSync(file))) {
    if (typeOf(nalUnit) === 9) pictures.push([]);
    pictures.at(-1)?.push(nalUnit);
  }
  return pictures.map((parts, index) => ({
    parts,
    timestamp: ticks(index * TICKS_PER_FRAME),
    decodeTimestamp: ticks(index * TICKS_PER_FRAME),
    importance: parts.some((nalUnit) => typeOf(nalUnit) === 5) ? 'key' : 'reference',
  }));
}

const typeOf = (nalUnit: Uint8Array): number => (nalUnit[0] ?? 0) & 0x1f;
