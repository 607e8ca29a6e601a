// Bundles the page's modules: a browser waits for eighty requests longer than for everything else until its first picture.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { ATLAS_ENTRY, atlasNotice } from './atlas-notice.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Scripts and workers of the pages, without extension. */
const ENTRIES = [
  'web/lanes/lanes-page',
  'web/lanes/lane-worker',
  'web/lanes/lane-worklet',
  'web/lanes/replay-page',
  'web/player/page',
  'web/player/sound-worklet',
];

/** Writes DIST/page, with the same paths, from the compiled modules in DIST, which stay as they are. */
export async function bundlePage(dist) {
  await bundle(dist, ENTRIES);
  await bundle(dist, [ATLAS_ENTRY], { banner: { js: atlasNotice() } });
}

async function bundle(dist, entries, options = {}) {
  await build({
    ...options,
    entryPoints: entries.map((entry) => join(dist, `${entry}.js`)),
    outbase: dist,
    outdir: join(dist, 'page'),
    absWorkingDir: dist,
    nodePaths: [join(root, 'node_modules')],
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    legalComments: 'none',
    logLevel: 'warning',
  });
}
