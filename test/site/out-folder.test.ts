import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { clearFolder, refusalOf } from '../../site/out-folder.js';
import { temporaryFolder } from '../io/sources/media.ts';

const ROOT = join(import.meta.dirname, '../..');

test('the site is written to a new folder, to an empty one, and over an earlier site', () => {
  const folder = temporaryFolder();
  expect(refusalOf(folder, ROOT)).toBeUndefined();
  const site = join(folder, 'public', 'site');
  expect(refusalOf(site, ROOT)).toBeUndefined();
  clearFolder(site);
  writeFileSync(join(site, 'index.html'), 'old');
  expect(refusalOf(site, ROOT)).toBeUndefined();
  clearFolder(site);
  expect(readdirSync(site)).toEqual(['.dropframe-site']);
});

test('a folder of other files is refused, and a file', () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'thesis.tex'), '');
  expect(refusalOf(folder, ROOT)).toMatch(
    /has files that are not of an earlier build .*: name a new or an empty folder$/,
  );
  expect(refusalOf(join(folder, 'thesis.tex'), ROOT)).toMatch(/is not a folder: name another one$/);
});

test('among the sources, only folders below out/ are written', () => {
  expect(refusalOf(join(ROOT, 'out', 'site'), ROOT)).toBeUndefined();
  for (const name of ['docs', '.git', 'site/new', 'new', 'out']) {
    expect(refusalOf(join(ROOT, name), ROOT), name).toMatch(/is among the sources: name a folder below out\/, or one/);
  }
  expect(refusalOf(ROOT, ROOT)).toMatch(/contains the sources: name another folder$/);
  expect(refusalOf(dirname(ROOT), ROOT)).toMatch(/contains the sources/);
});

test('a link to the sources is refused as they are', () => {
  const sources = join(temporaryFolder(), 'sources');
  mkdirSync(join(sources, 'docs'), { recursive: true });
  const link = join(temporaryFolder(), 'link');
  symlinkSync(join(sources, 'docs'), link);
  expect(refusalOf(link, sources)).toMatch(/is among the sources/);
  expect(refusalOf(join(link, 'site'), sources)).toMatch(/is among the sources/);
});

test('the command refuses in one line, with nothing deleted', () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'thesis.tex'), '');
  const { status, stderr } = spawnSync(process.execPath, [join(ROOT, 'site/build.js'), folder], { encoding: 'utf8' });
  expect([status, stderr.trimEnd().split('\n').length]).toEqual([2, 1]);
  expect(stderr).toMatch(/^build:site: .* name a new or an empty folder$/m);
  expect(existsSync(join(folder, 'thesis.tex'))).toBe(true);
});
