import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { H265AccessUnitSplitter } from '../../../../protocol/codec/h265/access-unit-splitter.ts';
import { splitAnnexB } from '../../../../protocol/codec/nal/annex-b.ts';
import type { CodedPicture } from '../../../../protocol/codec/nal/coded-picture.ts';
import { hex } from '../../bytes.ts';

/** Parameter sets of x265: Main, level 2, 320 × 180, 30 pictures a second, two pictures of reordering. */
export const VPS = hex('40010c01ffff01600000030090000003000003003c959409');
export const SPS = hex('42010101600000030090000003000003003ca00a080c1f3e595952930bc05a020000030002000003003c10');
export const PPS = hex('4401c073c189');

/** NAL units of the raw HEVC sample. */
export const sampleNalUnits = (): Uint8Array[] =>
  splitAnnexB(readFileSync(join(import.meta.dirname, '../../../../samples/small.h265')));

export function picturesOf(nalUnits: readonly Uint8Array[]): CodedPicture[] {
  const splitter = new H265AccessUnitSplitter();
  const pictures = nalUnits.flatMap((nalUnit) => splitter.push(nalUnit) ?? []);
  return [...pictures, ...[splitter.flush() ?? []].flat()];
}
