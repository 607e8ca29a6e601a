import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '..');
const COMPILER = join(ROOT, 'node_modules/typescript/bin/tsc');

/** What `npm pack` reads; the compiled files are made anew beside it. */
const PACKED_FROM = ['package.json', 'README.md', 'CHANGELOG.md', 'LICENSE', 'bin', 'docs', 'samples', 'web'];

/** The checkout as a package file. No build of the checkout is read or replaced. @returns the file. */
export function pack(folder: string): string {
  const tree = join(folder, 'tree');
  mkdirSync(tree);
  for (const name of PACKED_FROM) cpSync(join(ROOT, name), join(tree, name), { recursive: true });
  execFileSync(process.execPath, [join(ROOT, 'bin/build.js'), join(tree, 'dist')], { stdio: 'pipe' });
  execFileSync('npm', ['pack', '--ignore-scripts', '--offline', '--pack-destination', folder], {
    cwd: tree,
    stdio: 'pipe',
  });
  return join(folder, readdirSync(folder).find((name) => name.endsWith('.tgz'))!);
}

/** An empty project. */
export function emptyProject(folder: string): string {
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{ "name": "consumer", "private": true, "type": "module" }\n');
  return folder;
}

/** Installs the package file without a network: its dependencies are those of the checkout. */
export function installOffline(project: string, file: string): void {
  const modules = join(project, 'node_modules');
  mkdirSync(join(modules, 'dropframe'), { recursive: true });
  execFileSync('tar', ['-xzf', file, '-C', join(modules, 'dropframe'), '--strip-components=1']);
  const { dependencies } = JSON.parse(readFileSync(join(modules, 'dropframe/package.json'), 'utf8'));
  for (const name of Object.keys(dependencies)) symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
  linkNodeTypes(project);
}

/** Installs the package file from the npm registry, with what it depends on. */
export function installOnline(project: string, file: string): void {
  const quiet = ['--no-audit', '--no-fund', '--ignore-scripts', '--omit=optional'];
  execFileSync('npm', ['install', ...quiet, file], { cwd: project, stdio: 'pipe' });
  linkNodeTypes(project);
}

/** The types of Node are the consumer's own choice. */
function linkNodeTypes(project: string): void {
  mkdirSync(join(project, 'node_modules/@types'), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules/@types/node'), join(project, 'node_modules/@types/node'));
  symlinkSync(join(ROOT, 'node_modules/undici-types'), join(project, 'node_modules/undici-types'));
}

/** Type-checks and compiles the sources of a project, libraries included. @returns what the compiler complained of. */
export function compile(project: string, sources: readonly string[], options: readonly string[]): string {
  const strict = ['--strict', '--module', 'nodenext', '--target', 'es2023', '--skipLibCheck', 'false'];
  try {
    execFileSync(process.execPath, [COMPILER, '--ignoreConfig', ...strict, ...options, ...sources], {
      cwd: project,
      stdio: 'pipe',
    });
    return '';
  } catch (error) {
    return String((error as { stdout?: Buffer }).stdout);
  }
}

/** Node binaries of other major versions, where .ci/run keeps those that it tests with. */
const RUNTIMES = join(ROOT, 'out/runtimes');

/** @returns the path of a Node of this major version; `undefined` when it is not there and may not be downloaded. */
export function nodeOf(major: number): string | undefined {
  if (Number(process.versions.node.split('.')[0]) === major) return process.execPath;
  const name = `node-linux-${process.arch}`;
  const folder = join(RUNTIMES, String(major));
  const binary = join(folder, 'node_modules', name, 'bin/node');
  if (existsSync(binary)) return binary;
  if (!process.env.CI || process.platform !== 'linux') return undefined;
  mkdirSync(folder, { recursive: true });
  const quiet = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--prefix', folder];
  try {
    execFileSync('npm', ['install', ...quiet, `${name}@${major}`], { stdio: 'pipe' });
  } catch {
    return undefined;
  }
  return existsSync(binary) ? binary : undefined;
}
