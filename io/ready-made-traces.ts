import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { malformed, type Parsed, parsed } from '../protocol/base/parsed.ts';

/** Compiled files lie one folder deeper than their sources. */
const FOLDERS = ['../samples/traces', '../../samples/traces'].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
);

let known: ReadonlyMap<string, string> | undefined;

/** The capacities in Mahimahi's form that come with us (samples/traces), by name; read once. */
export function readyMadeTraces(): ReadonlyMap<string, string> {
  if (known) return known;
  const folder = FOLDERS.find((path) => existsSync(path));
  const names = folder === undefined ? [] : readdirSync(folder).filter((name) => /^[a-z0-9-]+\.(down|up)$/.test(name));
  known = new Map(names.sort().map((name) => [name, readFileSync(join(folder!, name), 'utf8')]));
  return known;
}

/** The content of one of them, by its name and nothing else: what a link may name that comes from a page. */
export function readReadyMadeTrace(name: string): Parsed<string> {
  const traces = readyMadeTraces();
  const content = traces.get(name);
  if (content !== undefined) return parsed(content);
  return malformed(
    `only a trace of samples/traces can be named here: ${[...traces.keys()].join(', ') || 'there is none'}`,
  );
}
