import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { expect, test } from 'vitest';
import { documentPages } from '../../site/documents.js';

const ROOT = join(import.meta.dirname, '../..');
const files = documentPages(ROOT);
const pages = [...files].flatMap(([path, page]) => (typeof page === 'string' ? [[path, page] as const] : []));
/** Pages of the site that are made elsewhere. */
const OTHERS = ['index.html', 'demo.html', 'assets/base.css', 'assets/site.css', 'assets/icon.svg'];

test('every document is a page', () => {
  const names = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md'));
  const expected = [...names, 'README.md', 'CHANGELOG.md'].map((name) => `docs/${name.replace('.md', '.html')}`);
  expect(expected.filter((path) => !files.has(path))).toEqual([]);
});

test('every link and image of a page leads to a file of the site, and to a heading of it', () => {
  const broken: string[] = [];
  let checked = 0;
  for (const [path, page] of pages) {
    for (const [, address] of page.matchAll(/\b(?:href|src|srcset)="([^"]*)"/g)) {
      if (/^[a-z]+:/.test(address!)) continue;
      checked++;
      const [file, heading] = address!.split('#') as [string, string?];
      const target = file === '' ? path : posix.normalize(posix.join(posix.dirname(path), file));
      const content = files.get(target);
      const isThere = content !== undefined || OTHERS.includes(target);
      const hasHeading = !heading || typeof content !== 'string' || content.includes(`id="${decodeURI(heading)}"`);
      if (!isThere || !hasHeading) broken.push(`${path}: ${address}`);
    }
  }
  expect(broken).toEqual([]);
  expect(checked).toBeGreaterThan(500);
});

test('links to documents on the home page lead to headings', () => {
  const home = readFileSync(join(ROOT, 'site/home.html'), 'utf8');
  const links = [...home.matchAll(/href="(docs\/[^"#]+)(?:#([^"]+))?"/g)];
  expect(links.length).toBeGreaterThan(3);
  for (const [, path, heading] of links) {
    expect(files.has(path!), path).toBe(true);
    if (heading) expect(files.get(path!)).toContain(`id="${heading}"`);
  }
});
