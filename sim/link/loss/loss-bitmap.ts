import { malformed, type Parsed, parsed } from '../../../protocol/base/parsed.ts';
import { contentHash } from '../content-hash.ts';
import type { LossBitmap } from './loss-model.ts';

/** About a day at one thousand datagrams per second. */
const DATAGRAMS_MAX = 100_000_000;

/**
 * Parses a loss recording: one digit per datagram, 1 lost and 0 received. Blanks, line ends, commas and brackets are
 * ignored, so a JSON array is valid too. Lines that begin with `#` are comments.
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
  if (count === 0) return malformed('empty: expected digits, 1 lost and 0 received');
  const content = lost.slice(0, count);
  return parsed({ name, hash: contentHash(content), lost: content });
}
