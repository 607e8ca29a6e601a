import { expect, test } from 'vitest';
import type { PageFile } from '../../../io/web-server/module-preloads.ts';
import { withModulePreloads } from '../../../io/web-server/module-preloads.ts';

const file = (text: string): PageFile => ({ body: Buffer.from(text), contentType: 'text/javascript' });
const PAGE = file(`<html>
  <head>
    <script type="module" src="/web/page.js"></script>
  </head>
</html>`);

const preloads = (files: Record<string, string>): string[] => {
  const served = new Map(Object.entries(files).map(([url, text]) => [url, file(text)]));
  const html = withModulePreloads(PAGE, served).body.toString();
  return [...html.matchAll(/<link rel="modulepreload" href="([^"]+)" \/>/g)].map(([, url]) => url!);
};

test('preloads indirect imports of a script, each once, and nothing else', () => {
  const found = preloads({
    '/web/page.js': "import { a } from './a.js';\nexport * from '../protocol/b.js';\nimport \"./c.js\";",
    '/web/a.js': "import { b } from '../protocol/b.js';",
    '/web/c.js': '',
    '/web/unused.js': '',
    '/protocol/b.js': "import { a } from '../web/a.js';\nimport x from 'package';",
  });
  expect(found).toEqual(['/web/a.js', '/protocol/b.js', '/web/c.js']);
});

test('does not preload files that are not served', () => {
  expect(preloads({ '/web/page.js': "import { fs } from '../io/files.js';" })).toEqual([]);
});

test('leaves a page without a script unchanged', () => {
  const plain = file('<html></html>');
  expect(withModulePreloads(plain, new Map())).toBe(plain);
});
