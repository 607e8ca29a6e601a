import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { malformed, type Parsed, parsed } from '../protocol/base/parsed.ts';

/** Paths from the sources and from the compiled files, which lie one folder deeper. */
const FOLDERS = ['../samples/traces', '../../samples/traces'].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
);

let known: ReadonlyMap<string, string> | undefined;

/** Returns the bundled capacity traces (samples/traces, Mahimahi format) by name; read once. */
export function readyMadeTraces(): ReadonlyMap<string, string> {
  if (known) return known;
  const folder = FOLDERS.find((path) => existsSync(path));
  const names = folder === undefined ? [] : readdirSync(folder).filter((name) => /^[a-z0-9-]+\.(down|up)$/.test(name));
  known = new Map(names.sort().map((name) => [name, readFileSync(join(folder!, name), 'utf8')]));
  return known;
}

/** Returns a bundled trace by its name. A link set by a page can name no other file. */
export function readReadyMadeTrace(name: string): Parsed<string> {
  const traces = readyMadeTraces();
  const content = traces.get(name);
  if (content !== undefined) return parsed(content);
  return malformed(`only traces of samples/traces can be used here: ${[...traces.keys()].join(', ') || 'none'}`);
}
