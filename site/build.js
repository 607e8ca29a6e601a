// Builds the page without a server: `npm run build:site` writes a folder of static files, out/site or the one that is
// named (`npm run build:site -- FOLDER`), for any file server and any path on it. An atlas in out/atlas-map, or in the folder
// that is named second, becomes a part of it.
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { tsImport } from 'tsx/esm/api';
import { ATLAS_ENTRY, atlasNotice } from '../bin/atlas-notice.js';
import { leanZod } from '../bin/lean-zod.js';
import { documentPages } from './documents.js';
import { clearFolder, refusalBeside, refusalOf } from './out-folder.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const out = resolve(process.argv[2] ?? join(root, 'out/site'));
const refusal = refusalOf(out, root);
if (refusal !== undefined) fail(refusal);
const ATLAS_FILES = ['atlas.json', 'atlas.parquet'];
const atlas = atlasFolder(process.argv[3]);
if (atlas !== undefined) await checkAtlas(atlas);

/** Workers and scripts: each is one file in assets/, and finds the others beside itself. */
const SCRIPTS = [
  'web/lanes/lanes-page.ts',
  'web/lanes/lane-worker.ts',
  'web/lanes/lane-worklet.ts',
  'web/lanes/replay-page.ts',
  'site/lane-host.ts',
  'site/lab-worker.ts',
  'site/own-file.ts',
];
/** Style sheets of the page with the lanes. */
const STYLES = readFileSync(join(root, 'web/lanes.html'), 'utf8').matchAll(
  /<link rel="stylesheet" href="\/(web\/[\w-]+\.css)"/g,
);
const ASSETS = [...Array.from(STYLES, ([, path]) => path), 'web/icon.svg', 'site/site.css'];
/** Modules of Node that the laboratory uses, and their stand-ins. */
const STAND_INS = { 'node:crypto': 'site/stand-ins/crypto.ts', 'node:path': 'site/stand-ins/path.ts' };
/**
 * Scripts, workers and files of the site itself; the report of the laboratory, which has its style inside, inherits the
 * policy of the page.
 */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; " +
  "worker-src 'self'; frame-src 'self' blob:; base-uri 'none'; form-action 'none'";

clearFolder(out);
mkdirSync(join(out, 'assets'));
await bundleScripts();
for (const path of ASSETS) cpSync(join(root, path), join(out, 'assets', basename(path)));
const { openMediaSource } = await tsImport('../io/sources/open-source.ts', import.meta.url);
const { SITE_SAMPLES } = await tsImport('./samples.ts', import.meta.url);
for (const { name, stream, sound } of SITE_SAMPLES) {
  const path = join(root, 'samples', name);
  write(`samples/${stream}`, await rawStream(path));
  if (sound !== undefined) write(`samples/${sound}`, await soundStream(path));
}
const { readyMadeTraces } = await tsImport('../io/ready-made-traces.ts', import.meta.url);
write('traces.json', JSON.stringify(Object.fromEntries(readyMadeTraces())));
write('demo.html', demoPage());
write('index.html', withPolicy(homePage()));
if (atlas !== undefined) await writeAtlas(atlas);
for (const [path, page] of documentPages(root)) {
  if (typeof page === 'string') write(path, withPolicy(page));
  else cpSync(page.file, join(out, path));
}
console.log(`${relative(process.cwd(), out) || '.'}: open index.html through any file server`);

async function bundleScripts(paths = SCRIPTS, folder = 'assets', options = {}) {
  await build({
    ...options,
    entryPoints: paths.map((path) => join(root, path)),
    outdir: join(out, folder),
    entryNames: '[name]',
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    legalComments: 'eof',
    logLevel: 'warning',
    plugins: [standIns(), leanModules()],
  });
}

function standIns() {
  return {
    name: 'stand-ins',
    setup({ onResolve }) {
      onResolve({ filter: /^node:/ }, ({ path, importer }) => {
        const standIn = STAND_INS[path];
        if (standIn !== undefined) return { path: join(root, standIn) };
        return { errors: [{ text: `${relative(root, importer)} needs ${path}, which no browser has` }] };
      });
    },
  };
}

function leanModules() {
  return {
    name: 'lean-zod',
    setup({ onLoad }) {
      onLoad({ filter: /\.ts$/ }, ({ path }) => {
        return { contents: leanZod(readFileSync(path, 'utf8')), loader: 'ts' };
      });
    },
  };
}

/** Pictures of a file as a raw stream, H.264 Annex B. */
async function rawStream(path) {
  if (path.endsWith('.h264')) return readFileSync(path);
  const media = await openMediaSource(path, { encode: 'copy', warn: fail });
  const parts = [];
  for await (const unit of media.units()) for (const part of unit.parts) parts.push(Buffer.of(0, 0, 0, 1), part);
  await media.close();
  return Buffer.concat(parts);
}

/** Sound of a file: AAC frames with ADTS headers, of which the first begins with the pictures. */
async function soundStream(path) {
  const { AAC_TRANSPORT_STREAM: adts } = await tsImport(
    '../protocol/codec/aac/transport-stream-format.ts',
    import.meta.url,
  );
  const media = await openMediaSource(path, { encode: 'copy', warn: fail, sound: {} });
  if (media.sound?.description.codecName !== 'aac') fail(`${path} has no AAC`);
  const frames = [];
  for await (const { parts, timestamp } of media.sound.units()) {
    // Units before the pictures are for the decoder, and are not heard.
    if (timestamp >= 0) frames.push(adts.write(parts, media.sound.description.parameterSets));
  }
  await media.close();
  return Buffer.concat(frames);
}

/** Folder of the atlas of the site; `undefined` without one. */
function atlasFolder(named) {
  const folder = resolve(named ?? join(root, 'out/atlas-map'));
  const missing = ATLAS_FILES.find((name) => !existsSync(join(folder, name)));
  if (missing === undefined) return folder;
  if (named !== undefined) fail(`${named} has no ${missing}: \`dropframe lab atlas\` writes it`);
  return undefined;
}

/** Refuses an atlas whose table is damaged or would be deleted; warns of one that this version would compute otherwise. */
async function checkAtlas(folder) {
  const refusal = refusalBeside(out, folder);
  if (refusal !== undefined) fail(refusal);
  const [manifest, table] = ATLAS_FILES.map((name) => readFileSync(join(folder, name)));
  const { code, sha256 } = manifestOf(manifest, folder);
  if (createHash('sha256').update(table).digest('hex') !== sha256) {
    fail(`${folder}: atlas.parquet is not the table of atlas.json: run \`dropframe lab atlas\` again`);
  }
  if ((await codesHere()).includes(code)) return;
  console.error(`build:site: the atlas in ${folder} is of another version of dropframe: its figures may differ`);
}

/** Fingerprints of this version: of the sources, and of what was compiled from them, which `dropframe` runs. */
async function codesHere() {
  const sources = await tsImport('../lab/store/code-fingerprint.ts', import.meta.url);
  const compiled = join(root, 'dist/lab/store/code-fingerprint.js');
  const modules = existsSync(compiled) ? [sources, await import(compiled)] : [sources];
  return modules.map(({ codeFingerprint }) => codeFingerprint());
}

function manifestOf(text, folder) {
  try {
    return JSON.parse(text);
  } catch {
    return fail(`${folder}: atlas.json is damaged: run \`dropframe lab atlas\` again`);
  }
}

/** Table and page of an atlas, in a folder of its own. */
async function writeAtlas(folder) {
  await bundleScripts([`${ATLAS_ENTRY}.ts`], 'atlas', { banner: { js: atlasNotice() } });
  for (const name of ATLAS_FILES) cpSync(join(folder, name), join(out, 'atlas', name));
  for (const name of ['base.css', 'atlas.css']) cpSync(join(root, 'web', name), join(out, 'atlas', name));
  const heading = '<h1><a href="../index.html" title="Home page of dropframe">dropframe</a> · Atlas</h1>';
  write('atlas/index.html', withPolicy(read('web/atlas.html').replace(/<h1>.*<\/h1>/, heading)));
}

/** The home page, with a way to the atlas where there is one. */
function homePage() {
  const home = read('site/home.html');
  if (atlas === undefined) return home;
  return home.replace('<a href="demo.html">Demo</a>', '$&\n        <a href="atlas/index.html">Atlas</a>');
}

/** The page of the demo, whose lanes are in workers. */
function demoPage() {
  const page = read('web/lanes.html')
    .replaceAll('"/web/lanes/lanes-page.js"', '"assets/lanes-page.js"')
    .replaceAll('"/web/', '"assets/')
    .replace('<body ', '<body data-lanes="local" ')
    .replace(/<h1>(.*?)<\/h1>/, '<h1><a href="index.html" title="Home page of dropframe">$1</a></h1>');
  const absolute = /(?:src|href)="\/[^"]*"/.exec(page)?.[0];
  if (absolute !== undefined) fail(`web/lanes.html has ${absolute}, which a site below a path does not find`);
  return withPolicy(page);
}

function withPolicy(page) {
  return page.replace(
    '<meta charset="utf-8" />',
    `$&\n    <meta http-equiv="Content-Security-Policy" content="${POLICY}" />`,
  );
}

function read(path) {
  return readFileSync(join(root, path), 'utf8');
}

function write(path, content) {
  const file = join(out, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}

function fail(why) {
  console.error(`build:site: ${why}`);
  process.exit(2);
}
