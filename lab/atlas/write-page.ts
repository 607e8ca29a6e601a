import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { causeOf, Failure } from '../../io/os/failure.ts';
import { pageFolders } from '../../io/web-server/page-files.ts';
import type { AtlasManifest } from '../../protocol/page/atlas-manifest.ts';
import { writeAtomically } from '../store/atomic-file.ts';
import { ATLAS_DATA, ATLAS_PAGE } from './atlas-files.ts';

/**
 * Writes the page beside the table, so that the folder opens from disk and from any file server. A page from disk cannot
 * fetch files: atlas-data.js has the same table as a script.
 * @throws {Failure} when the page is not compiled.
 */
export async function writePage(directory: string, manifest: AtlasManifest, table: Uint8Array): Promise<void> {
  const { written, compiled } = pageFolders();
  const pathOf: { readonly [Name in (typeof ATLAS_PAGE)[number]]: string } = {
    'index.html': join(written, 'atlas.html'),
    'base.css': join(written, 'base.css'),
    'atlas.css': join(written, 'atlas.css'),
    'atlas-page.js': join(compiled, 'page/web/atlas/atlas-page.js'),
  };
  const files = await Promise.all(
    ATLAS_PAGE.map(async (name) => {
      const path = pathOf[name];
      const content = await readFile(path).catch((error) => {
        throw new Failure(
          `the table is there, but not its page: ${path}: ${causeOf(error)}; run "npm run build" first`,
        );
      });
      return [name, content] as const;
    }),
  );
  const data = JSON.stringify({ manifest, table: Buffer.from(table).toString('base64') });
  await writeAtomically(join(directory, ATLAS_DATA), `globalThis.dropframeAtlas = ${data};\n`);
  for (const [name, content] of files) await writeAtomically(join(directory, name), content);
}
