import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Folder of the sources; benchmarks are compiled to out/bench/dist/bench. */
export const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));

/** Compiles the checkout if it has changed, so that the command starts at once. */
export function checkout(): void {
  spawnSync(process.execPath, ['bin/dropframe.js', '--version'], { cwd: ROOT, stdio: 'ignore' });
}
