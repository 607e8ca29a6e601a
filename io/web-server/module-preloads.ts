/** A file that the page's server answers with. */
export interface PageFile {
  readonly body: Buffer;
  readonly contentType: string;
}

const SCRIPT = /<script type="module" src="([^"]+)">/;
const IMPORT = /\b(?:from|import)\s*["'](\.[^"']+)["']/g;

/**
 * The page with a `modulepreload` (HTML Living Standard, §4.6.7.12) for each module that its script imports, directly or by
 * way of others: a browser that learns of them one after the other takes a round trip through itself for each step.
 * @param files what is served, by URL path. What is not in it is not preloaded.
 */
export function withModulePreloads(page: PageFile, files: ReadonlyMap<string, PageFile>): PageFile {
  const html = page.body.toString();
  const script = SCRIPT.exec(html)?.[1];
  if (script === undefined) return page;
  const links = importsOf(script, files).map((url) => `    <link rel="modulepreload" href="${url}" />\n`);
  return { ...page, body: Buffer.from(html.replace('  </head>', `${links.join('')}  </head>`)) };
}

/** URL paths of everything that a module needs, without itself. */
function importsOf(script: string, files: ReadonlyMap<string, PageFile>): string[] {
  const found = new Set([script]);
  // What is added while it is gone through is gone through as well.
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
