import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundlePage } from '../../bin/bundle-page.js';
import type { PageFolders } from '../../io/web-server/page-files.ts';

const ROOT = join(import.meta.dirname, '../..');

/** Compiles and bundles the page into a temporary folder, so that no test depends on a stale build. */
export async function buildPage(): Promise<PageFolders> {
  const compiled = mkdtempSync(join(tmpdir(), 'dropframe-page-'));
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
  const project = join(ROOT, 'tsconfig.web.json');
  execFileSync(process.execPath, [compiler, '-p', project, '--noEmit', 'false', '--outDir', compiled]);
  await bundlePage(compiled);
  return { written: join(ROOT, 'web'), compiled };
}
