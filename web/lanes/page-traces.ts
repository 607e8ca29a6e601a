import { malformed, type Parsed, parsed } from '../../protocol/base/parsed.ts';
import { parseLinkSpecification } from '../../sim/link/link-parse.ts';
import type { LinkSpecification } from '../../sim/link/link-specification.ts';

let traces: ReadonlyMap<string, string> = new Map();

/** Fetches what links may name; without it, they are just not understood here, as the server alone decides. */
export async function loadTraces(): Promise<void> {
  try {
    const response = await fetch('/traces.json');
    if (response.ok) traces = new Map(Object.entries((await response.json()) as Record<string, string>));
  } catch {
    traces = new Map();
  }
}

export function readTrace(name: string): Parsed<string> {
  const content = traces.get(name);
  return content === undefined ? malformed(`there is no trace ${name}`) : parsed(content);
}

/** A link in its one-line form, which may name the traces that come along. */
export const readLink = (text: string): Parsed<LinkSpecification> => parseLinkSpecification(text, readTrace);
