import { createReadStream } from 'node:fs';
import { NAL_UNIT_TYPE, nalUnitType } from '../../protocol/codec/h264/nal-unit.ts';
import { parseSequenceParameterSet } from '../../protocol/codec/h264/sequence-parameter-set.ts';
import { AnnexBSplitter, splitAnnexB } from '../../protocol/codec/nal/annex-b.ts';

const CHUNK_BYTES = 256 * 1024;
/** NAL unit types at the start of an HEVC stream (bits 1 to 6 of the first byte): VPS, SPS, delimiter. */
const HEVC_STARTS: readonly number[] = [32, 33, 35];

/**
 * True when the start of a file is a raw H.264 stream (Annex B), whatever the file name. MPEG-1, -2 and -4 and program
 * streams use the same start codes but other NAL unit headers; HEVC is recognized by its own headers.
 */
export function isAnnexB(head: Uint8Array): boolean {
  const firstOne = head.findIndex((byte) => byte !== 0);
  if (firstOne < 2 || head[firstOne] !== 1) return false;
  const parts = splitAnnexB(head);
  const first = parts[0];
  // Video start codes of MPEG-1, -2 and -4 set the forbidden bit.
  if (first === undefined || ((first[0] as number) & 0x80) !== 0) return false;
  if (parts.some((nalUnit) => isSequenceParameterSet(nalUnit))) return true;
  if (HEVC_STARTS.includes(((first[0] as number) >> 1) & 0x3f) && first[1] === 1) return false;
  return parts.every((nalUnit) => ((nalUnit[0] as number) & 0x80) === 0) && parts.some(isH264);
}

/** Frame rate from the first SPS; `undefined` when absent. */
export function rateOfAnnexB(head: Uint8Array): number | undefined {
  for (const nalUnit of splitAnnexB(head)) {
    if (nalUnitType(nalUnit) !== NAL_UNIT_TYPE.sequenceParameterSet) continue;
    const set = parseSequenceParameterSet(nalUnit);
    if (set.ok) return set.value.framesPerSecond;
  }
  return undefined;
}

function isSequenceParameterSet(nalUnit: Uint8Array): boolean {
  return nalUnitType(nalUnit) === NAL_UNIT_TYPE.sequenceParameterSet && parseSequenceParameterSet(nalUnit).ok;
}

/** True for NAL unit headers that the other formats with these start codes do not have in their first bytes. */
function isH264(nalUnit: Uint8Array): boolean {
  return [0x65, 0x45, 0x25, 0x61, 0x41, 0x21, 0x67, 0x47, 0x27, 0x68, 0x48, 0x28].includes(nalUnit[0] as number);
}

/** Yields the NAL units of a raw H.264 file, read on demand. */
export async function* annexBNalUnits(path: string): AsyncGenerator<readonly Uint8Array[]> {
  const splitter = new AnnexBSplitter();
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES }) as AsyncIterable<Uint8Array>) {
    yield splitter.push(chunk);
  }
  yield splitter.flush();
}
