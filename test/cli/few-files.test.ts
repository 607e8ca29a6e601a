import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../io/sources/media.ts';
import { ROOT } from './dropframe-process.ts';

const TOO_MANY = 'dropframe: too many files are open: raise the limit, such as with `ulimit -n 1024`\n';
/** Node 20 opens the modules of a package at once, later versions one after the other. Node itself needs 21 files. */
const MODULES = 64;

/** Makes a package with the real `bin/dropframe.js`, whose command consists of many modules. @returns its program. */
function packageOfModules(main: string): string {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'bin'));
  mkdirSync(join(folder, 'dist', 'command'), { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  copyFileSync(join(ROOT, 'bin/dropframe.js'), join(folder, 'bin/dropframe.js'));
  const names = Array.from({ length: MODULES }, (_, i) => `module-${i}.js`);
  for (const name of names) writeFileSync(join(folder, 'dist/command', name), 'export {};\n');
  const imports = names.map((name) => `import './${name}';\n`).join('');
  writeFileSync(join(folder, 'dist/command/main.js'), `${imports}export const main = async () => { ${main} };\n`);
  return join(folder, 'bin/dropframe.js');
}

function runWith(files: number, program: string) {
  const { status, stdout, stderr } = spawnSync(
    'sh',
    ['-c', `ulimit -n ${files} && exec "$0" "$1"`, process.execPath, program],
    { encoding: 'utf8' },
  );
  return { status, stdout, stderr };
}

const OPENS_ALL_AT_ONCE = process.versions.node.startsWith('20.');

test(`with 48 open files it starts, and with 24 Node ${process.versions.node} ${OPENS_ALL_AT_ONCE ? 'fails with a one-line hint at the limit' : 'starts'}`, () => {
  const program = packageOfModules("console.log('started'); return 0");
  const started = { status: 0, stdout: 'started\n', stderr: '' };
  expect(runWith(256, program)).toEqual(started);
  expect(runWith(48, program)).toEqual(started);
  const refused = { status: 1, stdout: '', stderr: TOO_MANY };
  expect(runWith(24, program)).toEqual(OPENS_ALL_AT_ONCE ? refused : started);
});

test('an internal error at the start keeps its stack trace', () => {
  const { status, stderr } = runWith(256, packageOfModules("throw new TypeError('ours')"));
  expect(status).toBe(1);
  expect(stderr).toContain('TypeError: ours\n    at ');
});
