// Bundles the compiled command with the packages that it needs at each start: Node 20 takes longer to find and open
// four hundred modules than to run them.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { leanZod } from './lean-zod.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Optional, native, or large and rarely used: loaded from node_modules. */
const EXTERNAL = [
  'ffmpeg-static',
  'fluent-ffmpeg',
  'hyparquet',
  'hyparquet-writer',
  'koffi',
  'mediabunny',
  'node-av',
  'vega',
  'vega-lite',
  // Optional accelerators of ws.
  'bufferutil',
  'utf-8-validate',
];

/** CommonJS packages call `require`, which modules lack. */
const REQUIRE =
  "import { createRequire as bundleRequire } from 'node:module'; const require = bundleRequire(import.meta.url);";

/** Writes DIST/command/main.js and its parts, from the compiled modules in DIST, which stay as they are. */
export async function bundleCommand(dist) {
  const outdir = join(dist, 'command');
  rmSync(outdir, { recursive: true, force: true });
  const { metafile } = await build({
    entryPoints: [join(dist, 'cli', 'main.js')],
    outdir,
    // Comments name modules by their path from here, and so do not tell where the folder was.
    absWorkingDir: dist,
    bundle: true,
    splitting: true,
    chunkNames: 'part-[hash]',
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: EXTERNAL,
    nodePaths: [join(root, 'node_modules')],
    banner: { js: REQUIRE },
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
    plugins: [ownAddress(dist, outdir)],
  });
  writeLicenses(
    Object.keys(metafile.inputs).map((path) => join(dist, path)),
    outdir,
  );
}

/** Lets a module in the bundle find the files and workers beside the compiled module. */
function ownAddress(dist, outdir) {
  return {
    name: 'own-address',
    setup({ onLoad }) {
      onLoad({ filter: /\.js$/ }, ({ path }) => {
        if (!path.startsWith(dist + sep)) return undefined;
        const text = readFileSync(path, 'utf8');
        const address = JSON.stringify(relative(outdir, path).replaceAll(sep, '/'));
        const own = text.replaceAll('import.meta.url', `new URL(${address}, import.meta.url).href`);
        return { contents: leanZod(own), loader: 'js' };
      });
    },
  };
}

/** The licenses of the packages in the bundle have to go with it. */
function writeLicenses(inputs, outdir) {
  const packages = new Set(inputs.map((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0]));
  const texts = [...packages].filter(Boolean).map((folder) => {
    const name = readdirSync(folder).find((file) => /^licen[cs]e/i.test(file));
    return `${basename(folder)}\n\n${name === undefined ? 'no license text' : readFileSync(join(folder, name), 'utf8')}`;
  });
  writeFileSync(join(outdir, 'licenses.txt'), texts.join('\n\n'));
}
