import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '..');
const COMPILER = join(ROOT, 'node_modules/typescript/bin/tsc');

/** Inputs of `npm pack`, apart from the compiled files, which are built separately. */
const PACKED_FROM = ['package.json', 'README.md', 'CHANGELOG.md', 'LICENSE', 'bin', 'docs', 'samples', 'web'];

/** Packs the checkout, without reading or replacing a build in it. @returns the package file. */
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

/** Creates an empty project. */
export function emptyProject(folder: string): string {
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{ "name": "consumer", "private": true, "type": "module" }\n');
  return folder;
}

/** Installs the package file without a network, with the dependencies of the checkout. */
export function installOffline(project: string, file: string): void {
  const modules = join(project, 'node_modules');
  mkdirSync(join(modules, 'dropframe'), { recursive: true });
  execFileSync('tar', ['-xzf', file, '-C', join(modules, 'dropframe'), '--strip-components=1']);
  const { dependencies } = JSON.parse(readFileSync(join(modules, 'dropframe/package.json'), 'utf8'));
  for (const name of Object.keys(dependencies)) symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
  linkNodeTypes(project);
}

/** Installs the package file and its dependencies from the npm registry. */
export function installOnline(project: string, file: string): void {
  const quiet = ['--no-audit', '--no-fund', '--ignore-scripts', '--omit=optional'];
  execFileSync('npm', ['install', ...quiet, file], { cwd: project, stdio: 'pipe' });
  linkNodeTypes(project);
}

/** Links the types of Node, which are the consumer's choice. */
function linkNodeTypes(project: string): void {
  mkdirSync(join(project, 'node_modules/@types'), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules/@types/node'), join(project, 'node_modules/@types/node'));
  symlinkSync(join(ROOT, 'node_modules/undici-types'), join(project, 'node_modules/undici-types'));
}

/** Type-checks and compiles the sources of a project, libraries included. @returns the compiler's errors. */
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

/** Node binaries of other major versions, as kept by .ci/run. */
const RUNTIMES = join(ROOT, 'out/runtimes');

/** @returns the path of a Node of this major version; `undefined` when it is absent and may not be downloaded. */
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
