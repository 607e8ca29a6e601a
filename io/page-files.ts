import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Failure } from './failure.ts';

export interface PageFile {
  readonly body: Buffer;
  readonly contentType: string;
}

/** Where the page's parts are. */
export interface PageFolders {
  /** `index.html` and its style sheet, as written. */
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

/** The rooms whose modules pages run. */
const ROOMS = ['web', 'protocol', 'sim'];
const JAVASCRIPT = 'text/javascript; charset=utf-8';

/**
 * Everything that pages consist of, by URL path, read once. The server answers from this list and from nothing else, so
 * no path in a request can reach another file.
 * @param entry the page at `/`.
 */
export async function readPageFiles(
  folders: PageFolders,
  entry: 'index.html' | 'lanes.html' = 'index.html',
): Promise<ReadonlyMap<string, PageFile>> {
  const files = new Map<string, PageFile>();
  const add = async (url: string, path: string, contentType: string): Promise<void> => {
    files.set(url, { body: await readFile(path), contentType });
  };
  try {
    await add('/', join(folders.written, entry), 'text/html; charset=utf-8');
    for (const style of ['page.css', 'lanes.css']) {
      await add(`/web/${style}`, join(folders.written, style), 'text/css; charset=utf-8');
    }
    await add('/web/icon.svg', join(folders.written, 'icon.svg'), 'image/svg+xml');
    await add('/protocol/page-message.js', join(folders.compiled, 'protocol/page-message.js'), JAVASCRIPT);
    for (const room of ROOMS) {
      for (const name of await modulesIn(join(folders.compiled, room))) {
        await add(`/${room}/${name}`, join(folders.compiled, room, name), JAVASCRIPT);
      }
    }
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).path ?? 'a file of the page';
    throw new Failure(`the page cannot be served, ${missing} is missing: run "npm run build" first`, 1);
  }
  return files;
}

/** Names of the compiled modules in a room, with `/` between folders. */
async function modulesIn(folder: string): Promise<readonly string[]> {
  const names: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) {
      for (const inner of await modulesIn(join(folder, entry.name))) names.push(`${entry.name}/${inner}`);
    } else if (entry.name.endsWith('.js')) names.push(entry.name);
  }
  return names;
}
