import { codecOfAnnexB } from './annex-b-file.ts';
import { examineInput, isRemoteFile } from './input-file.ts';
import { rawPicturesOf } from './raw-pictures.ts';
import { parseTestPattern } from './test-pattern.ts';

/** True for an input without sound: a test pattern, a raw byte stream, a device. */
export async function isSilent(input: string): Promise<boolean> {
  if (parseTestPattern(input) !== undefined) return true;
  const found = await examineInput(input);
  if (found.kind === 'other') return !isRemoteFile(input);
  return codecOfAnnexB(found.head) !== undefined || rawPicturesOf(input, found.bytes) !== undefined;
}
