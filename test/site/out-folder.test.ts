import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { clearFolder, refusalBeside, refusalOf } from '../../site/out-folder.js';
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

test('a folder with results of the laboratory is refused, also below out/', () => {
  const sources = temporaryFolder();
  for (const name of ['atlas-run.json', 'run.json']) {
    const folder = join(sources, 'out', name.replace('.json', ''));
    mkdirSync(folder, { recursive: true });
    expect(refusalOf(folder, sources)).toBeUndefined();
    writeFileSync(join(folder, name), '{}');
    expect(refusalOf(folder, sources)).toMatch(/holds results of the laboratory \((atlas-)?run.json\): name another/);
  }
});

test('a site is not written over its atlas, around it or into it', () => {
  const atlas = join(temporaryFolder(), 'out', 'atlas-map');
  for (const folder of [atlas, dirname(atlas), join(atlas, 'site')]) {
    expect(refusalBeside(folder, atlas)).toMatch(/are in one another: name another folder$/);
  }
  expect(refusalBeside(join(dirname(atlas), 'site'), atlas)).toBeUndefined();
});

test('the command refuses an atlas that would be deleted, and one with another table', () => {
  const atlas = temporaryFolder();
  const table = Buffer.from('a table');
  const build = (folder: string) =>
    spawnSync(process.execPath, [join(ROOT, 'site/build.js'), folder, atlas], { encoding: 'utf8' });
  writeFileSync(join(atlas, 'atlas.parquet'), table);
  writeFileSync(
    join(atlas, 'atlas.json'),
    JSON.stringify({ sha256: createHash('sha256').update(table).digest('hex') }),
  );
  const within = build(join(atlas, 'site'));
  expect([within.status, within.stderr]).toEqual([2, expect.stringMatching(/^build:site: .* are in one another/)]);
  writeFileSync(join(atlas, 'atlas.parquet'), 'another');
  const damaged = build(join(temporaryFolder(), 'site'));
  expect([damaged.status, damaged.stderr]).toEqual([2, expect.stringContaining('is not the table of atlas.json')]);
  expect(existsSync(join(atlas, 'atlas.parquet'))).toBe(true);
});

test('the command refuses in one line, with nothing deleted', () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'thesis.tex'), '');
  const { status, stderr } = spawnSync(process.execPath, [join(ROOT, 'site/build.js'), folder], { encoding: 'utf8' });
  expect([status, stderr.trimEnd().split('\n').length]).toEqual([2, 1]);
  expect(stderr).toMatch(/^build:site: .* name a new or an empty folder$/m);
  expect(existsSync(join(folder, 'thesis.tex'))).toBe(true);
});
