import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { withMarkedSection } from '../io/marked-section.ts';
import { causeOf, Failure } from '../io/os/failure.ts';
import { writeAtomically } from '../lab/store/atomic-file.ts';

/** Compiled files lie one folder deeper than their sources. */
const PLACES = ['../docs/VALIDATION.md', '../../docs/VALIDATION.md'].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
);

/**
 * Puts a result into its section of docs/VALIDATION.md.
 * @throws {Failure} where there is no such page, none with that section, or it cannot be written.
 */
export async function writeValidation(section: string, text: string): Promise<void> {
  for (const path of PLACES) {
    const page = await readFile(path, 'utf8').catch(() => undefined);
    if (page === undefined) continue;
    const whole = withMarkedSection(page, section, text);
    if (whole === undefined) {
      const markers = `<!-- ${section}:begin --> and <!-- ${section}:end -->`;
      throw new Failure(`docs/VALIDATION.md has no ${markers} to write between`);
    }
    try {
      return await writeAtomically(path, whole);
    } catch (error) {
      throw new Failure(`cannot write docs/VALIDATION.md: ${causeOf(error)}`);
    }
  }
  throw new Failure('docs/VALIDATION.md is not here: --docs is for a checkout', 2);
}
