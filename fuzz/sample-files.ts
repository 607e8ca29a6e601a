import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Folder with the project's package.json: the sources run from there, or from out/fuzz when compiled. */
export const ROOT = rootAbove(import.meta.dirname);
export const SAMPLE = join(ROOT, 'samples', 'counter.h264');
export const SCENARIOS = join(ROOT, 'samples', 'scenarios');
export const TRACE = join(ROOT, 'samples', 'traces', 'lte-drive.down');

function rootAbove(folder: string): string {
  return existsSync(join(folder, 'package-lock.json')) ? folder : rootAbove(dirname(folder));
}
export const SAMPLE_HEVC = join(ROOT, 'samples', 'small.h265');
export const SAMPLE_MP4 = join(ROOT, 'samples', 'counter.mp4');
