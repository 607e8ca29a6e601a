// Compiles the rooms and the page into dist/.
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
rmSync(join(root, 'dist'), { recursive: true, force: true });
for (const project of [['tsconfig.build.json'], ['tsconfig.web.json', '--noEmit', 'false']]) {
  const { status } = spawnSync(process.execPath, [compiler, '-p', ...project], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
// Its time tells when the compiled files were made.
writeFileSync(join(root, 'dist', '.built'), '');
