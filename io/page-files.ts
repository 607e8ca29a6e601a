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

/**
 * Everything the page consists of, by URL path, read once. The server answers from this list and from nothing else, so
 * no path in a request can reach another file.
 */
export async function readPageFiles(folders: PageFolders): Promise<ReadonlyMap<string, PageFile>> {
  const files = new Map<string, PageFile>();
  const add = async (url: string, folder: string, name: string, contentType: string): Promise<void> => {
    files.set(url, { body: await readFile(join(folder, name)), contentType });
  };
  try {
    await add('/', folders.written, 'index.html', 'text/html; charset=utf-8');
    await add('/web/page.css', folders.written, 'page.css', 'text/css; charset=utf-8');
    await add('/web/icon.svg', folders.written, 'icon.svg', 'image/svg+xml');
    const javaScript = 'text/javascript; charset=utf-8';
    for (const name of await readdir(join(folders.compiled, 'web'))) {
      if (name.endsWith('.js')) await add(`/web/${name}`, join(folders.compiled, 'web'), name, javaScript);
    }
    await add('/protocol/page-message.js', folders.compiled, 'protocol/page-message.js', javaScript);
    // The only modules of ours that it imports when it runs.
    await add('/protocol/parsed.js', folders.compiled, 'protocol/parsed.js', javaScript);
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).path ?? 'a file of the page';
    throw new Failure(`the page cannot be served, ${missing} is missing: run "npm run build" first`, 1);
  }
  return files;
}
