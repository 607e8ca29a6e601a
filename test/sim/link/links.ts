import { malformed, parsed } from '../../../protocol/base/parsed.ts';
import { type Instant, instant, milliseconds } from '../../../protocol/base/units.ts';
import { parseLinkSpecification } from '../../../sim/link/link-parse.ts';
import type { LinkSpecification } from '../../../sim/link/link-specification.ts';

/** Parses a link. @param trace content of the recording that it names, if any. */
export function linkOf(text: string, trace?: string): LinkSpecification {
  const link = parseLinkSpecification(text, () => (trace === undefined ? malformed('no trace') : parsed(trace)));
  if (!link.ok) throw new Error(link.malformed);
  return link.value;
}

export const at = (ms: number): Instant => instant(milliseconds(ms));
