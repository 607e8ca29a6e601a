// Compiles the sources and the benchmarks into a separate folder, unaffected by later edits, and runs one.
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Compiles into out/bench/FOLDER, and exits with the result of `main` of a program of this project's folder. */
export async function compileAndRun(folder, program, projectFolder = 'bench') {
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const compiled = join(root, 'out', 'bench', folder);
  if (!existsSync(compiler)) {
    process.stderr.write(`${projectFolder}: the compiler is not installed; run npm ci\n`);
    process.exit(3);
  }
  rmSync(compiled, { recursive: true, force: true });
  const project = [compiler, '-p', join(root, projectFolder), '--outDir', compiled];
  const { status } = spawnSync(process.execPath, project, { stdio: ['ignore', 2, 2] });
  if (status !== 0) {
    process.stderr.write(`${projectFolder}: the sources do not compile (see above)\n`);
    process.exit(1);
  }
  const { main } = await import(pathToFileURL(join(compiled, projectFolder, program)).href);
  process.exit(await main(process.argv));
}
