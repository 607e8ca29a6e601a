import type { BitReader } from '../nal/bit-reader.ts';

/** num_short_term_ref_pic_sets (§7.4.3.2.1). */
const SETS_MAX = 64;
/** sps_max_dec_pic_buffering_minus1 bounds the pictures of a set (§7.4.8). */
const PICTURES_MAX = 16;

/**
 * Skips the short-term reference picture sets of a sequence parameter set (H.265 §7.3.7). A set may be coded relative to
 * the one before it, and its length depends on that one, so each is computed (§7.4.8).
 * @returns false when they are damaged.
 */
export function skipReferencePictureSets(reader: BitReader): boolean {
  const count = reader.unsigned();
  if (count > SETS_MAX) return false;
  let previous: readonly number[] = [];
  for (let index = 0; index < count; index += 1) {
    const next = index > 0 && reader.flag() ? readRelative(reader, previous) : readExplicit(reader);
    if (next === undefined || reader.overrun) return false;
    previous = next;
  }
  return true;
}

/** Returns the picture order count differences: negative ones from −1 down, then positive ones from 1 up. */
function readExplicit(reader: BitReader): readonly number[] | undefined {
  const counts = [reader.unsigned(), reader.unsigned()] as const;
  if (counts[0] + counts[1] > PICTURES_MAX) return undefined;
  const differences: number[] = [];
  for (const [index, sign] of [-1, 1].entries()) {
    let difference = 0;
    for (let picture = 0; picture < counts[index]!; picture += 1) {
      difference += sign * (reader.unsigned() + 1);
      differences.push(difference);
      reader.flag(); // used_by_curr_pic_flag
    }
  }
  return differences;
}

/** §7.4.8, equations 7-61 and 7-62: the set before, shifted, with its own shift as a further picture. */
function readRelative(reader: BitReader, previous: readonly number[]): readonly number[] | undefined {
  const sign = reader.flag() ? -1 : 1;
  const shift = sign * (reader.unsigned() + 1);
  const differences: number[] = [];
  for (const difference of [...previous, 0]) {
    const isUsed = reader.flag();
    const isKept = isUsed || reader.flag();
    if (isKept && difference + shift !== 0) differences.push(difference + shift);
  }
  if (differences.length > PICTURES_MAX) return undefined;
  const negative = differences.filter((difference) => difference < 0).sort((a, b) => b - a);
  return [...negative, ...differences.filter((difference) => difference > 0).sort((a, b) => a - b)];
}
