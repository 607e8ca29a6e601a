import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { withMarkedSection } from '../io/marked-section.ts';
import { Failure } from '../io/os/failure.ts';

/** Location relative to out/bench/FOLDER/bench, where the benchmarks are compiled. */
const PAGE = fileURLToPath(new URL('../../../../docs/RESULTS.md', import.meta.url));

/** Writes results into their section of docs/RESULTS.md. */
export function writeResults(section: string, text: string): void {
  const page = existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : '';
  const written = withMarkedSection(page, section, text);
  if (written === undefined) {
    throw new Failure(`docs/RESULTS.md has no <!-- ${section}:begin --> and <!-- ${section}:end --> to write between`);
  }
  writeFileSync(PAGE, written);
}
