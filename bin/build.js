// Compiles the rooms and the page into dist/, or into the folder that is named.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleCommand } from './bundle.js';
import { bundlePage } from './bundle-page.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const target = resolve(process.argv[2] ?? join(root, 'dist'));
/** The folder while it is incomplete: a build that fails leaves the one before as it is. */
const dist = `${target}.part-${process.pid}`;
const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
process.on('exit', () => rmSync(dist, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));
for (const project of [['tsconfig.build.json'], ['tsconfig.web.json', '--noEmit', 'false']]) {
  const { status } = spawnSync(process.execPath, [compiler, '-p', ...project, '--outDir', dist], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status ?? 1);
}
removeUnreachableDeclarations();
writeManualPage();
await bundleCommand(dist);
await bundlePage(dist);
// Its time tells when the compiled files were made.
writeFileSync(join(dist, '.built'), '');
replaceTarget();

function replaceTarget() {
  const previous = `${dist}-previous`;
  if (existsSync(target)) renameSync(target, previous);
  renameSync(dist, target);
  rmSync(previous, { recursive: true, force: true });
}

/** The options of the commands as a manual page; the sources find commander wherever the compiled files lie. */
function writeManualPage() {
  const script = `
    import { stdout } from 'node:process';
    import { manualPage } from './cli/manual-page.ts';
    import { createProgram } from './cli/program.ts';
    import { packageVersion } from './cli/version.ts';
    stdout.write(manualPage(await createProgram(), packageVersion()));`;
  const options = ['--import', 'tsx', '--input-type=module', '--eval', script];
  const { status, stdout } = spawnSync(process.execPath, options, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  if (status !== 0) process.exit(status ?? 1);
  writeFileSync(join(dist, 'dropframe.1'), stdout);
}

/** Leaves the types of the package's entries, and those that they mention; the others cannot be imported. */
function removeUnreachableDeclarations() {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const reached = new Set();
  const waiting = Object.values(exports).flatMap(({ types }) =>
    types ? [join(dist, types.replace('./dist/', ''))] : [],
  );
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (reached.has(file)) continue;
    reached.add(file);
    for (const [, path] of readFileSync(file, 'utf8').matchAll(/(?:from |import\()['"](\.[^'"]+)['"]/g)) {
      const declaration = resolve(dirname(file), path.replace(/\.[jt]s$/, '.d.ts'));
      if (existsSync(declaration)) waiting.push(declaration);
    }
  }
  for (const name of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
    const file = join(dist, name);
    if (name.endsWith('.d.ts') && !reached.has(file)) rmSync(file);
  }
}
