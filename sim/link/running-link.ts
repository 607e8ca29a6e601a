import { malformed, type Parsed } from '../../protocol/base/parsed.ts';
import { parseLinkSpecification } from './link-parse.ts';
import type { LinkSpecification } from './link-specification.ts';
import type { TraceReader } from './loss/loss-words.ts';

/** Longest one-line form that a page may request, characters. */
export const RUNNING_LINK_CHARACTERS_MAX = 600;

/**
 * Parses the replacement of a running link. It can be replaced again at any time, so timed changes are rejected; so is
 * netem, whose parts cannot be replaced. The error message is meant for display.
 */
export function parseRunningLink(text: string, readTrace?: TraceReader): Parsed<LinkSpecification> {
  if (text.length > RUNNING_LINK_CHARACTERS_MAX) {
    return malformed(`a link has at most ${RUNNING_LINK_CHARACTERS_MAX} characters`);
  }
  const link = parseLinkSpecification(text, readTrace);
  if (!link.ok) return malformed(`invalid link: ${link.malformed}`);
  if (link.value.netem || link.value.changes) {
    return malformed('a running link accepts neither netem nor timed changes');
  }
  return link;
}
