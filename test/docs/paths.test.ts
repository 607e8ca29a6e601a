import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const ROOMS = [
  'protocol',
  'sender',
  'receiver',
  'sim',
  'io',
  'session',
  'lab',
  'cli',
  'web',
  'site',
  'bench',
  'examples',
  'test',
];
const PAGES = [
  'CONTRIBUTING.md',
  ...['API', 'ARCHITECTURE', 'GLOSSARY', 'GUIDE', 'RECOVERY', 'SESSIONS'].map((name) => `docs/${name}.md`),
];

const files = new Set(
  [...ROOMS, 'samples', 'docs'].flatMap((room) =>
    readdirSync(join(ROOT, room), { recursive: true, encoding: 'utf8' }).map((path) => `${room}/${path}`),
  ),
);
const names = new Set([...files].map((path) => basename(path)));
const isThere = (path: string): boolean =>
  existsSync(join(ROOT, path)) ||
  names.has(path) ||
  [...files].some((file) => file.endsWith(`/${path.replace(/\/$/, '')}`));

test.for(PAGES)('%s names only files and folders that exist', (page) => {
  const text = readFileSync(join(ROOT, page), 'utf8');
  const paths = [...text.matchAll(/`([\w./-]+(?:\.ts|\.js|\.md|\/))`/g)].map(([, path]) => path!);
  expect(paths.filter((path) => !path.startsWith('.') && !path.startsWith('out/') && !isThere(path))).toEqual([]);
});
