import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Entry of the page of an atlas, without extension: the only page that contains hyparquet. */
export const ATLAS_ENTRY = 'web/atlas/atlas-page';

/** Returns a comment with the license of hyparquet, which asks for it in every copy. */
export function atlasNotice() {
  const folder = join(dirname(fileURLToPath(import.meta.url)), '../node_modules/hyparquet');
  const { version, homepage } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return `/*!\nContains hyparquet ${version}, ${homepage}\n\n${readFileSync(join(folder, 'LICENSE'), 'utf8').trim()}\n*/`;
}
