import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeJson, writeResult } from '../../cli/result-file.ts';
import { temporaryFolder } from '../io/sources/media.ts';
import { ROOT } from './dropframe-process.ts';

test('replaces a file or the target of a link, without leftovers', async () => {
  const folder = temporaryFolder();
  await writeJson('the summary', join(folder, 'one.json'), { a: 1 });
  symlinkSync('one.json', join(folder, 'link.json'));
  await writeJson('the summary', join(folder, 'link.json'), { a: 2 });
  expect(readdirSync(folder).sort()).toEqual(['link.json', 'one.json']);
  expect(readlinkSync(join(folder, 'link.json'))).toBe('one.json');
  expect(JSON.parse(readFileSync(join(folder, 'one.json'), 'utf8'))).toEqual({ a: 2 });
});

test('a device is written, not replaced', async () => {
  await expect(writeResult('the report', '/dev/full', 'x')).rejects.toThrow(
    'cannot write the report /dev/full: the disk is full',
  );
  await writeResult('the report', '/dev/null', 'x');
});

test('reports name, place and cause of a result that cannot be written', async () => {
  const path = join(temporaryFolder(), 'no', 'such.json');
  await expect(writeJson('the summary', path, {})).rejects.toThrow(
    `cannot write the summary ${path}: there is no such file or directory`,
  );
});

/** A file system of one page that another file fills, in a mount namespace of its own. */
const FULL_DISK = `
mount -t tmpfs -o size=4k tmpfs "$0" || exit 77
printf before > "$0/kept.json"
"$1" --import tsx --input-type=module --eval "$2" -- "$0" || exit 1
cat "$0/kept.json"; ls -A "$0"`;
const WRITE = `
import { writeJson } from './cli/result-file.ts';
const folder = process.argv.at(-1);
for (const name of ['new.json', 'kept.json']) {
  await writeJson('the summary', folder + '/' + name, { text: 'x'.repeat(10_000) }).catch((e) => console.log(e.message));
}`;

test('a full disk leaves no empty file, and keeps the previous one', ({ skip }) => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'placeholder'), '');
  const namespace = ['--user', '--map-root-user', '--mount', 'sh', '-c', FULL_DISK, folder, process.execPath, WRITE];
  const { status, stdout, stderr } = spawnSync('unshare', namespace, { cwd: ROOT, encoding: 'utf8' });
  skip(status === 77 || status === null || stderr.includes('unshare failed'), 'no mount namespace');
  expect([status, stdout]).toEqual([
    0,
    `cannot write the summary ${folder}/new.json: the disk is full\n` +
      `cannot write the summary ${folder}/kept.json: the disk is full\nbeforekept.json\n`,
  ]);
});
