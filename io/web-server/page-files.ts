import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Failure } from '../os/failure.ts';
import { type PageFile, withModulePreloads } from './module-preloads.ts';

/** Locations of the page's files. */
export interface PageFolders {
  /** Folder of HTML and CSS. */
  readonly written: string;
  /** Folder of compiled modules: `web/*.js`, `protocol/page/*.js` and others; of bundles of them in `page/`. */
  readonly compiled: string;
}

/** Returns the folders of the package, which is where `package.json` is; works from the sources and from `dist`. */
export function pageFolders(): PageFolders {
  let root = import.meta.dirname;
  while (!existsSync(join(root, 'package.json')) && dirname(root) !== root) root = dirname(root);
  return { written: join(root, 'web'), compiled: join(root, 'dist') };
}

/** Folders whose modules each page uses where they are not bundled. */
const ROOMS = { 'index.html': ['web', 'protocol'], 'lanes.html': ['web', 'protocol', 'sim'] } as const;
/** A style sheet that a page names, in the folder of HTML and CSS. */
const STYLE = /<link rel="stylesheet" href="\/web\/([\w-]+\.css)"/g;
const JAVASCRIPT = 'text/javascript; charset=utf-8';

/**
 * Reads all files of a page, by URL path, once. The server answers from this list only, so no request can reach another
 * file.
 * @param entry page at `/`.
 * @throws {Failure} when a file is missing.
 */
export async function readPageFiles(
  folders: PageFolders,
  entry: keyof typeof ROOMS = 'index.html',
): Promise<ReadonlyMap<string, PageFile>> {
  const { written } = folders;
  const bundles = join(folders.compiled, 'page');
  const isBundled = existsSync(bundles);
  const compiled = isBundled ? bundles : folders.compiled;
  try {
    const folded = isBundled ? (['web'] as const) : ROOMS[entry];
    const rooms = await Promise.all(folded.map((room) => modulesIn(join(compiled, room), room)));
    const styles = [...(await readFile(join(written, entry), 'utf8')).matchAll(STYLE)].map(([, name]) => name!);
    const parts: readonly (readonly [url: string, path: string, contentType: string])[] = [
      ['/', join(written, entry), 'text/html; charset=utf-8'],
      ...styles.map((name) => [`/web/${name}`, join(written, name), 'text/css; charset=utf-8'] as const),
      ['/web/icon.svg', join(written, 'icon.svg'), 'image/svg+xml'],
      ...rooms.flat().map((name) => [`/${name}`, join(compiled, name), JAVASCRIPT] as const),
    ];
    const read = parts.map(
      async ([url, path, contentType]) => [url, { body: await readFile(path), contentType }] as const,
    );
    const files = new Map<string, PageFile>(await Promise.all(read));
    return files.set('/', withModulePreloads(files.get('/')!, files));
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).path ?? 'a file of the page';
    throw new Failure(`the page cannot be served, ${missing} is missing: run "npm run build" first`, 1);
  }
}

/** Returns the compiled modules in a folder as `FOLDER/NAME`, recursively. */
async function modulesIn(folder: string, name: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.map((entry) => {
    if (entry.isDirectory()) return modulesIn(join(folder, entry.name), `${name}/${entry.name}`);
    return entry.name.endsWith('.js') ? [`${name}/${entry.name}`] : [];
  });
  return (await Promise.all(names)).flat();
}
