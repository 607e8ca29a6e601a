// Compiles the rooms and the benchmarks into a folder of their own, so that nothing changes under a run, and starts it.
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
const compiled = join(root, 'out', 'bench', 'dist');
if (!existsSync(compiler)) {
  process.stderr.write('bench: the compiler is not installed: run `npm ci`\n');
  process.exit(3);
}
rmSync(compiled, { recursive: true, force: true });
const { status } = spawnSync(process.execPath, [compiler, '-p', join(root, 'bench')], { stdio: ['ignore', 2, 2] });
if (status !== 0) {
  process.stderr.write('bench: the sources do not compile: see above\n');
  process.exit(1);
}
const { main } = await import(pathToFileURL(join(compiled, 'bench', 'main.js')).href);
process.exit(await main(process.argv));
