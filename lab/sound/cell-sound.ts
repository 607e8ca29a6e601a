import type { AccessUnit } from '../../protocol/access-unit.ts';
import { assert } from '../../protocol/base/assert.ts';
import { CLOCK_RATE } from '../../protocol/base/units.ts';
import type { Codec } from '../../protocol/codec/codec.ts';
import { type CodecName, codecByName } from '../../protocol/codec/codecs.ts';
import { SyntheticSound, syntheticUnitTicks } from '../../sim/synthetic-sound.ts';
import { type PackedFiles, UNIT_FIELDS, unpackUnits } from '../packed-units.ts';

/** Description of the sound beside the pictures of a cell, with everything that affects the result. */
export type CellSound =
  | {
      readonly kind: 'synthetic';
      readonly codec: 'opus' | 'aac';
      readonly kbps: number;
      readonly units: number;
    }
  | {
      readonly kind: 'file';
      readonly codec: CodecName;
      /** RTP clock rate, ticks per second. */
      readonly clockRate: number;
      /** SHA-256 of the access units, with their times relative to the first picture. */
      readonly sha256: string;
      readonly units: number;
      readonly bytes: number;
      /** Duration of an access unit, 90 kHz. */
      readonly unitTicks: number;
    };

/** Codec of the sound, and the clock rate of its stream. */
export function codecOf(sound: CellSound): { readonly codec: Codec; readonly clockRate: number } {
  const codec = codecByName(sound.codec);
  return { codec, clockRate: sound.kind === 'file' ? sound.clockRate : codec.clockRate };
}

/** Duration of an access unit, 90 kHz. */
export const unitTicksOf = (sound: CellSound): number =>
  sound.kind === 'file' ? sound.unitTicks : syntheticUnitTicks(sound.codec);

/** Mean rate of the access units, bits per second. */
export const soundRateOf = (sound: CellSound): number =>
  sound.kind === 'file' ? (sound.bytes * 8 * CLOCK_RATE) / (sound.units * sound.unitTicks) : sound.kbps * 1_000;

/** Returns the access units one by one, `undefined` after the last. @param files contents of file sources. */
export function openCellSound(sound: CellSound, files: PackedFiles): () => AccessUnit | undefined {
  if (sound.kind === 'synthetic') {
    const { codec, kbps, units } = sound;
    const stream = new SyntheticSound({ codec, bitrate: kbps * 1_000, units, seed: 1 });
    return () => stream.next();
  }
  const packed = files.get(sound.sha256);
  assert(packed !== undefined, 'the files of all cells must have been read');
  const units = unpackUnits(packed);
  return () => units.next().value as AccessUnit | undefined;
}

/** Number of access units before a time, 90 kHz. */
export function unitsBefore(sound: CellSound, files: PackedFiles, time: number): number {
  if (sound.kind === 'synthetic') return Math.ceil(time / unitTicksOf(sound));
  const { units } = files.get(sound.sha256)!;
  let before = 0;
  while (before < sound.units && units[before * UNIT_FIELDS]! < time) before++;
  return before;
}

/** Short label for tables. */
export function soundLabelOf(sound: CellSound): string {
  return `${sound.codec} ${Math.round(soundRateOf(sound) / 1_000)}kbps`;
}
