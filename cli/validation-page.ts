import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { withMarkedSection } from '../io/marked-section.ts';
import { causeOf, Failure } from '../io/os/failure.ts';
import { writeAtomically } from '../lab/store/atomic-file.ts';

/** Paths from the sources and from the compiled files, which lie one folder deeper. */
const PLACES = ['../docs/VALIDATION.md', '../../docs/VALIDATION.md'].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
);

/**
 * Writes a result into its section of docs/VALIDATION.md.
 * @throws {Failure} when the page or the section is missing or the page cannot be written.
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
  throw new Failure('docs/VALIDATION.md was not found: --docs works in a checkout only', 2);
}
