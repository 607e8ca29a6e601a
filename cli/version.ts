import { readFileSync } from 'node:fs';

/** Version from package.json; `unknown` if it cannot be read. */
export function packageVersion(): string {
  for (const path of ['../package.json', '../../package.json']) {
    try {
      return JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')).version;
    } catch {
      // Compiled files lie one folder deeper than their sources.
    }
  }
  return 'unknown';
}
