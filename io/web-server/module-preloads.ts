/** A file served by the page's server. */
export interface PageFile {
  readonly body: Buffer;
  readonly contentType: string;
}

const SCRIPT = /<script type="module" src="([^"]+)">/;
const IMPORT = /\b(?:from|import)\s*["'](\.[^"']+)["']/g;

/**
 * Adds a `modulepreload` link (HTML Living Standard §4.6.7.12) for every module that the page's script imports,
 * directly or indirectly: otherwise a browser discovers them one round trip at a time.
 * @param files served files by URL path; modules missing in it are not preloaded.
 */
export function withModulePreloads(page: PageFile, files: ReadonlyMap<string, PageFile>): PageFile {
  const html = page.body.toString();
  const script = SCRIPT.exec(html)?.[1];
  if (script === undefined) return page;
  const links = importsOf(script, files).map((url) => `    <link rel="modulepreload" href="${url}" />\n`);
  return { ...page, body: Buffer.from(html.replace('  </head>', `${links.join('')}  </head>`)) };
}

/** Returns the URL paths of all modules that a module imports, without itself. */
function importsOf(script: string, files: ReadonlyMap<string, PageFile>): string[] {
  const found = new Set([script]);
  // Iteration includes elements added on the way.
  for (const url of found) {
    const text = files.get(url)?.body.toString() ?? '';
    for (const [, name] of text.matchAll(IMPORT)) {
      const { pathname } = new URL(name!, `http://page${url}`);
      if (files.has(pathname)) found.add(pathname);
    }
  }
  found.delete(script);
  return [...found];
}
