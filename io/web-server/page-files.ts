import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Failure } from '../os/failure.ts';
import { type PageFile, withModulePreloads } from './module-preloads.ts';

/** Where the page's parts are. */
export interface PageFolders {
  /** The pages and their style sheets, as written. */
  readonly written: string;
  /** The output of the compiler: `web/*.js` and `protocol/page-message.js`. */
  readonly compiled: string;
}

/** From the sources and from `dist` alike: the package is where its `package.json` is. */
export function pageFolders(): PageFolders {
  let root = import.meta.dirname;
  while (!existsSync(join(root, 'package.json')) && dirname(root) !== root) root = dirname(root);
  return { written: join(root, 'web'), compiled: join(root, 'dist') };
}

/** The rooms whose modules a page runs. */
const ROOMS = { 'index.html': ['web', 'protocol'], 'lanes.html': ['web', 'protocol', 'sim'] } as const;
/** What both share, and what each has beside it. */
const STYLES = ['base.css', 'page.css', 'lanes.css'];
const JAVASCRIPT = 'text/javascript; charset=utf-8';

/**
 * Everything that pages consist of, by URL path, read once. The server answers from this list and from nothing else, so
 * no path in a request can reach another file.
 * @param entry the page at `/`.
 */
export async function readPageFiles(
  folders: PageFolders,
  entry: keyof typeof ROOMS = 'index.html',
): Promise<ReadonlyMap<string, PageFile>> {
  const { written, compiled } = folders;
  try {
    const rooms = await Promise.all(ROOMS[entry].map((room) => modulesIn(join(compiled, room), room)));
    const parts: readonly (readonly [url: string, path: string, contentType: string])[] = [
      ['/', join(written, entry), 'text/html; charset=utf-8'],
      ...STYLES.map((name) => [`/web/${name}`, join(written, name), 'text/css; charset=utf-8'] as const),
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

/** Names of the compiled modules in a room, with the room's and `/` before them. */
async function modulesIn(folder: string, name: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.map((entry) => {
    if (entry.isDirectory()) return modulesIn(join(folder, entry.name), `${name}/${entry.name}`);
    return entry.name.endsWith('.js') ? [`${name}/${entry.name}`] : [];
  });
  return (await Promise.all(names)).flat();
}
