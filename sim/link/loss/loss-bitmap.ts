import { malformed, type Parsed, parsed } from '../../../protocol/base/parsed.ts';
import { contentHash } from '../content-hash.ts';
import type { LossBitmap } from './loss-model.ts';

/** A day of a thousand datagrams a second. */
const DATAGRAMS_MAX = 100_000_000;

/**
 * Reads a recording of losses: a digit each datagram, 1 lost and 0 received; blanks, line ends, commas and brackets
 * between them do not count (so a JSON array is one too), and a line that begins with `#` is a remark.
 */
export function parseLossBitmap(name: string, text: string): Parsed<LossBitmap> {
  const lost = new Uint8Array(Math.min(text.length, DATAGRAMS_MAX));
  let count = 0;
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trimStart().startsWith('#')) continue;
    for (const sign of line) {
      if (sign === '0' || sign === '1') {
        if (count >= DATAGRAMS_MAX) return malformed(`more than ${DATAGRAMS_MAX} datagrams`);
        lost[count++] = sign === '1' ? 1 : 0;
      } else if (!/[\s,[\]]/.test(sign)) {
        return malformed(`line ${index + 1}: '${sign}' is neither 0 (received) nor 1 (lost)`);
      }
    }
  }
  if (count === 0) return malformed('no datagram in it: expected digits, 1 lost and 0 received');
  const content = lost.slice(0, count);
  return parsed({ name, hash: contentHash(content), lost: content });
}
