import { malformed, type Parsed } from '../../protocol/base/parsed.ts';
import { parseLinkSpecification } from './link-parse.ts';
import type { LinkSpecification } from './link-specification.ts';
import type { TraceReader } from './loss/loss-words.ts';

/** The longest link in its one-line form that a page may ask for, characters. */
export const RUNNING_LINK_CHARACTERS_MAX = 600;

/**
 * Reads a link that is to take the place of one that runs: it can be changed again at any time, so it has no schedule of
 * its own, and no netem, whose parts cannot be exchanged. Fails with why, in words for people.
 */
export function parseRunningLink(text: string, readTrace?: TraceReader): Parsed<LinkSpecification> {
  if (text.length > RUNNING_LINK_CHARACTERS_MAX) {
    return malformed(`a link here has ${RUNNING_LINK_CHARACTERS_MAX} characters at most`);
  }
  const link = parseLinkSpecification(text, readTrace);
  if (!link.ok) return malformed(`this link cannot be read: ${link.malformed}`);
  if (link.value.netem || link.value.changes) {
    return malformed('a link that runs here can be changed, so it takes no netem and no changes of its own');
  }
  return link;
}
