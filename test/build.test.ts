import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from './io/sources/media.ts';

const ROOT = join(import.meta.dirname, '..');
const COMPILER_THAT_FAILS = "console.error('cli/main.ts: an error of the compiler'); process.exit(2);";

test('a build that fails leaves the one before as it is', () => {
  const root = checkout();
  const { status, stderr } = run(root, 'build.js');
  expect([status, stderr]).toEqual([2, 'cli/main.ts: an error of the compiler\n']);
  expect(readFileSync(join(root, 'dist', 'command', 'main.js'), 'utf8')).toBe('// before');
  expect(readdirSync(root).filter((name) => name.startsWith('dist'))).toEqual(['dist']);
});

test('after a failed build, the command tells whether the packages are older than their list', () => {
  const root = checkout();
  const [listed, installed] = [join(root, 'package-lock.json'), join(root, 'node_modules', '.package-lock.json')];
  for (const file of [listed, installed]) writeFileSync(file, '{}');
  utimesSync(listed, 1_000, 1_000);
  expect(run(root, 'dropframe.js')).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/dropframe: the sources do not compile: see above\n$/),
  });
  utimesSync(installed, 500, 500);
  expect(run(root, 'dropframe.js').stderr).toMatch(
    /do not compile: the installed packages are older than package-lock\.json: run `npm ci`\n$/,
  );
});

/** A checkout with an earlier build, newer sources, and a compiler that fails. */
function checkout(): string {
  const root = temporaryFolder();
  cpSync(join(ROOT, 'bin'), join(root, 'bin'), { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(root, 'package.json'));
  for (const folder of ['cli', 'dist/command', 'node_modules/typescript/bin']) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  writeFileSync(join(root, 'cli', 'main.ts'), '');
  writeFileSync(join(root, 'dist', 'command', 'main.js'), '// before');
  writeFileSync(join(root, 'node_modules', 'typescript', 'bin', 'tsc'), COMPILER_THAT_FAILS);
  symlinkSync(join(ROOT, 'node_modules', 'esbuild'), join(root, 'node_modules', 'esbuild'));
  return root;
}

function run(root: string, script: string): { readonly status: number | null; readonly stderr: string } {
  return spawnSync(process.execPath, [join(root, 'bin', script)], { encoding: 'utf8' });
}
