// The documentation as pages: Markdown of the repository, with its links and images, in docs/ of the site.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { Marked } from 'marked';
import { gfmHeadingId } from 'marked-gfm-heading-id';

/** Parts of the menu; a document that none of them names is in the last one. */
const PARTS = [
  ['Start', ['README.md', 'docs/GUIDE.md', 'docs/GLOSSARY.md', 'CHANGELOG.md', 'CONTRIBUTING.md']],
  [
    'Use it',
    [
      'docs/LINK.md',
      'docs/LINK-TUN.md',
      'docs/LAB.md',
      'docs/ATLAS.md',
      'docs/ENCODER.md',
      'docs/INTEROP.md',
      'docs/SECURITY.md',
    ],
  ],
  [
    'Figures',
    [
      'docs/RESULTS.md',
      'docs/EXPERIMENTS.md',
      'docs/BENCHMARKS.md',
      'docs/VALIDATION.md',
      'docs/SCALING.md',
      'docs/CHAOS.md',
    ],
  ],
  [
    'How it works',
    [
      'docs/ARCHITECTURE.md',
      'docs/PROTOCOL.md',
      'docs/RECOVERY.md',
      'docs/RATE.md',
      'docs/TCP.md',
      'docs/SESSIONS.md',
      'docs/API.md',
    ],
  ],
  ['More', []],
];

/**
 * Returns the files of the documentation by their path in the site: pages as text, others as `{ file }`.
 * @param root folder of the repository.
 */
export function documentPages(root) {
  const listed = new Set(PARTS.flatMap(([, paths]) => paths));
  const names = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'));
  const others = names.map((name) => `docs/${name}`).filter((path) => !listed.has(path));
  const documents = new Map();
  const files = new Map();
  const waiting = [...listed, ...others];
  // A document that another one links to is a page as well.
  for (const path of waiting) {
    if (documents.has(path)) continue;
    const { title, html, linked, images } = render(root, path);
    documents.set(path, { title, html });
    waiting.push(...linked);
    for (const image of images) files.set(imagePath(image), { file: join(root, image) });
  }
  const menu = PARTS.map(([part, paths]) => [
    part,
    part === 'More' ? [...documents.keys()].filter((path) => !listed.has(path)) : paths,
  ]);
  const menuFor = (current) =>
    menu
      .filter(([, paths]) => paths.length > 0)
      .map(
        ([part, paths]) =>
          `<h2>${part}</h2>\n<ul>\n${paths.map((path) => item(path, documents.get(path).title, current)).join('\n')}\n</ul>`,
      )
      .join('\n');
  for (const [path, document] of documents) files.set(pagePath(path), pageOf(document, menuFor(path)));
  return files;
}

const pagePath = (path) =>
  `docs/${path
    .replace(/^docs\//, '')
    .replaceAll('/', '-')
    .replace(/\.md$/, '.html')}`;
const imagePath = (path) => `docs/images/${path.replace(/^docs\/images\//, '').replaceAll('/', '-')}`;
/** From one page to another file of the documentation. */
const besides = (path) => path.replace(/^docs\//, '');

function item(path, title, current) {
  const here = path === current ? ' aria-current="page"' : '';
  return `<li><a href="${besides(pagePath(path))}"${here}>${escaped(title)}</a></li>`;
}

function render(root, path) {
  const text = readFileSync(join(root, path), 'utf8');
  const linked = [];
  const images = [];
  const targetOf = (href) => posix.normalize(posix.join(dirname(path), decodeURI(href.replace(/[#?].*$/, ''))));
  const fileOf = (href) => {
    const target = targetOf(href);
    if (!existsSync(join(root, target))) throw new Error(`${path} links to ${href}, which does not exist`);
    return target;
  };
  const image = (href) => {
    if (/^[a-z]+:/i.test(href)) return href;
    const target = fileOf(href);
    images.push(target);
    return besides(imagePath(target));
  };
  const marked = new Marked(gfmHeadingId(), {
    walkTokens(token) {
      if (token.type === 'image') token.href = image(token.href);
      if (token.type === 'html')
        token.text = token.text.replace(/\b(src|srcset)="([^"]+)"/g, (_all, name, href) => `${name}="${image(href)}"`);
      if (token.type !== 'link' || /^([a-z]+:|#)/i.test(token.href)) return;
      const target = fileOf(token.href);
      if (target.endsWith('.md')) {
        linked.push(target);
        token.href = besides(pagePath(target)) + (/#.*$/.exec(token.href)?.[0] ?? '');
      } else if (statSync(join(root, target)).isDirectory() || !target.startsWith('docs/images/')) {
        // Sources are in the repository, not in the site.
        token.href = '';
        token.title = target;
      }
    },
    renderer: {
      link({ href, title, tokens }) {
        const inner = this.parser.parseInline(tokens);
        if (href !== '') return false;
        return `<span title="${escaped(title)} in the repository">${inner}</span>`;
      },
      table(token) {
        const cells = (row, tag) =>
          row
            .map(({ text, tokens, align }) => {
              // An empty cell is no heading.
              const name = text === '' ? 'td' : tag;
              return `<${name}${align ? ` class="${align}"` : ''}>${this.parser.parseInline(tokens)}</${name}>`;
            })
            .join('');
        const rows = token.rows.map((row) => `<tr>${cells(row, 'td')}</tr>`).join('\n');
        return `<div class="scroll" tabindex="0" role="group" aria-label="Table"><table>\n<thead><tr>${cells(token.header, 'th')}</tr></thead>\n<tbody>${rows}</tbody>\n</table></div>\n`;
      },
      code({ text: code }) {
        return `<pre tabindex="0"><code>${escaped(code)}</code></pre>\n`;
      },
    },
  });
  const html = marked.parse(text);
  const heading = /^# (.+)$/m.exec(text)?.[1] ?? path;
  return { title: path === 'README.md' ? 'Overview' : heading.replaceAll('`', ''), html, linked, images };
}

function pageOf({ title, html }, menu) {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <title>${escaped(title)} · dropframe</title>
    <link rel="icon" href="../assets/icon.svg" type="image/svg+xml" />
    <link rel="stylesheet" href="../assets/base.css" />
    <link rel="stylesheet" href="../assets/site.css" />
  </head>
  <body class="document">
    <a class="skip" href="#content">To the text</a>
    <header id="bar">
      <a class="name" href="../index.html"><img src="../assets/icon.svg" alt="" width="22" height="22" />dropframe</a>
      <nav aria-label="Site">
        <a href="../demo.html">Demo</a>
        <a href="README.html" aria-current="true">Documentation</a>
        <a class="only-narrow" href="#contents">Pages</a>
      </nav>
    </header>
    <div id="columns">
      <main id="content">
${html}
      </main>
      <nav id="contents" aria-label="Documentation">
${menu}
      </nav>
    </div>
  </body>
</html>
`;
}

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
