import { malformed, type Parsed, parsed } from '../../protocol/base/parsed.ts';
import { parseLinkSpecification } from '../../sim/link/link-parse.ts';
import type { LinkSpecification } from '../../sim/link/link-specification.ts';

let traces: ReadonlyMap<string, string> = new Map();
let loading: Promise<void> | undefined;

/** True when a link, plain or in an address, names a trace. */
export const namesTrace = (text: string): boolean => /trace(?:=|%3D)/i.test(text);

/**
 * Loads the traces that links may name, once: they are longer than the page. On failure links with traces are not
 * parsed here; the server still accepts them.
 */
export function loadTraces(): Promise<void> {
  loading ??= load();
  return loading;
}

async function load(): Promise<void> {
  try {
    const response = await fetch('traces.json');
    if (response.ok) traces = new Map(Object.entries((await response.json()) as Record<string, string>));
  } catch {
    traces = new Map();
  }
}

export function readTrace(name: string): Parsed<string> {
  const content = traces.get(name);
  return content === undefined ? malformed(`unknown trace ${name}`) : parsed(content);
}

/** Parses a link in its text form, which may name one of the loaded traces. */
export const readPageLink = (text: string): Parsed<LinkSpecification> => parseLinkSpecification(text, readTrace);
