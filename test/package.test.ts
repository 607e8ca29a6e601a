import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { CHROMIUM, FLAGS, HAS_CHROMIUM } from './browser/chromium.ts';
import { optional } from './optional.ts';
import { compile, emptyProject, installOffline, installOnline, nodeOf, pack, ROOT } from './packed-package.ts';

const EXAMPLES = readdirSync(join(ROOT, 'examples')).filter((name) => name.endsWith('.ts'));
const COMMAND = 'node_modules/dropframe/bin/dropframe.js';
const CONSUMER = `
import { createStreamPair, Link, parseLink, type Recovery, Receiver, Sender, Simulation } from 'dropframe';
import { type Reception, receive, serve } from 'dropframe/node';
import { runCell, runScenario, type SummaryRow } from 'dropframe/lab';

const recovery: Recovery = 'hybrid';
const { sender, receiver } = createStreamPair({ latencyMs: 200, recovery });
const typed: [Sender, Receiver] = [sender, receiver];
const { rows } = await runScenario({
  name: 'one', question: 'Does it run?', source: { synthetic: { seconds: 1 } },
  link: { forward: 'loss=2% delay=10ms' }, strategies: ['nack'], budgetsMs: 100,
});
const row: SummaryRow = rows[0]!;
const reception: Reception | undefined = undefined;
console.log(JSON.stringify({ ends: typed.length, frames: row.frames, reception, version: process.versions.node,
  functions: [Link, parseLink, Simulation, receive, serve, runCell].map((one) => typeof one) }));
`;
/** Mistakes that must be compile-time errors. */
const MISTAKEN = `
import { createStreamPair } from 'dropframe';
createStreamPair({ latencyMs: '200' });
createStreamPair({ latency: 200 });
createStreamPair({ recovery: 'magic' });
`;

let folder: string;
let packageFile: string;
let project: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dropframe-package-'));
  packageFile = pack(folder);
  project = emptyProject(join(folder, 'consumer'));
  installOffline(project, packageFile);
  writeFileSync(join(project, 'consumer.ts'), CONSUMER);
  for (const name of EXAMPLES) cpSync(join(ROOT, 'examples', name), join(project, name));
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const packedFiles = (): readonly string[] => {
  const listing = execFileSync('tar', ['-tzf', packageFile], { encoding: 'utf8' });
  return listing
    .trim()
    .split('\n')
    .map((path) => path.replace(/^package\//, ''));
};

test('the package holds no sources, no scripts for samples or pictures, and no unreachable types', () => {
  const files = packedFiles();
  expect(files).toContain('bin/dropframe.js');
  expect(files).toContain('dist/web/lanes/lanes-page.js');
  expect(files).toContain('dist/dropframe.1');
  expect(files).toContain('dist/command/main.js');
  expect(files).toContain('dist/command/licenses.txt');
  expect(files).toContain('samples/counter.h264');
  expect(files).toContain('samples/scenarios/lte-drive.json');
  // Their recordings are not in the package.
  expect(files.filter((path) => path.endsWith('-real.json'))).toEqual([]);
  const superfluous =
    /(?<!\.d)\.ts$|\.map$|\/make\.js$|^docs\/images|^bin\/build|^dist\/cli|^dist\/web\/.*\.d\.ts$|\.built$|flash/;
  expect(files.filter((path) => superfluous.test(path))).toEqual([]);
  expect(new Set(files).size).toBe(files.length);
});

test('an empty project imports all three entries with types, libraries checked', () => {
  expect(compile(project, ['consumer.ts'], ['--types', 'node', '--noEmit'])).toBe('');
});

test('the core needs the types of neither Node nor a browser', () => {
  writeFileSync(join(project, 'core.ts'), "export * from 'dropframe';\n");
  expect(compile(project, ['core.ts'], ['--types', '', '--lib', 'es2023', '--noEmit'])).toBe('');
});

test('a wrong option is a compile-time error', () => {
  writeFileSync(join(project, 'mistaken.ts'), MISTAKEN);
  const complaints = compile(project, ['mistaken.ts'], ['--types', 'node', '--noEmit']).match(/^mistaken\.ts\(\d+/gm);
  expect(complaints).toEqual(['mistaken.ts(3', 'mistaken.ts(4', 'mistaken.ts(5']);
});

test('the examples compile against the package', () => {
  expect(compile(project, ['consumer.ts', ...EXAMPLES], ['--types', 'node', '--outDir', 'out'])).toBe('');
});

for (const major of [20, 22, 24, 26]) {
  const node = nodeOf(major);
  optional(`Node ${major} (CI=1 fetches it from the npm registry)`, node !== undefined)(
    `Node ${major} runs the command, a consumer, a pair and real sockets from the package`,
    () => {
      const run = (...args: string[]) => {
        const { status, stdout, stderr } = spawnSync(node!, args, { cwd: project, encoding: 'utf8' });
        return { status, stdout, stderr };
      };
      const consumer = run('out/consumer.js');
      expect(consumer).toMatchObject({ status: 0, stderr: '' });
      const { version, ...imported } = JSON.parse(consumer.stdout);
      expect(imported).toMatchObject({ ends: 2, frames: 30, functions: Array(6).fill('function') });
      expect(Number(version.split('.')[0])).toBe(major);
      for (const args of [['out/loopback-pair.js'], ['out/real-sockets.js'], [COMMAND, 'lab', 'list']]) {
        expect(run(...args)).toMatchObject({ status: 0, stderr: '' });
      }
    },
    120_000,
  );
}

test('the packaged command streams to itself, and runs a scenario on threads of its own', async () => {
  const clip = 'node_modules/dropframe/samples/counter.h264';
  const sender = spawn(process.execPath, [COMMAND, 'send', clip, '--loop', '--listen', '127.0.0.1:0'], {
    cwd: project,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  onTestFinished(() => void sender.kill('SIGKILL'));
  let said = '';
  const address = new Promise<string>((resolve) => {
    sender.stderr.on('data', (text) => {
      said += text;
      const match = /dropframe:\/\/[^ ]+:\d+/.exec(said);
      if (match) resolve(match[0]);
    });
  });
  const receiver = spawn(process.execPath, [COMMAND, 'receive', await address, '--play', 'none', '--output', '-'], {
    cwd: project,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  onTestFinished(() => void receiver.kill('SIGKILL'));
  const [video] = (await once(receiver.stdout, 'data')) as [Buffer];
  expect(video.subarray(0, 4)).toEqual(Buffer.from([0, 0, 0, 1]));
  const scenario = {
    name: 'one',
    question: 'Does it run?',
    source: { synthetic: { seconds: 1 } },
    link: { forward: 'loss=2% delay=10ms' },
    strategies: ['none', 'nack'],
    budgetsMs: 100,
  };
  writeFileSync(join(project, 'one.json'), JSON.stringify(scenario));
  const args = [COMMAND, 'lab', 'run', 'one.json', '--out', 'answer', '--jobs', '2', '--quiet'];
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: project, encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(readFileSync(join(project, 'answer/summary.csv'), 'utf8').trim().split('\n')).toHaveLength(3);
}, 120_000);

optional('the npm registry (CI=1)', process.env.CI !== undefined)(
  'npm installs the package with its dependencies, and the command runs',
  () => {
    const online = emptyProject(join(folder, 'online'));
    installOnline(online, packageFile);
    const help = execFileSync('npx', ['--no-install', 'dropframe', '--help'], { cwd: online, encoding: 'utf8' });
    expect(help).toContain('Usage: dropframe');
    writeFileSync(join(online, 'consumer.ts'), CONSUMER);
    expect(compile(online, ['consumer.ts'], ['--types', 'node'])).toBe('');
    expect(JSON.parse(execFileSync(process.execPath, ['consumer.js'], { cwd: online, encoding: 'utf8' })).frames).toBe(
      30,
    );
  },
  240_000,
);

const PAGE = `<!doctype html><title>core</title><script type="module">
import * as dropframe from '/dist/index.js';
const { sender, receiver } = dropframe.createStreamPair({ latencyMs: 80 });
const link = dropframe.parseLink('loss=5% delay=10ms seed=2');
const video = new dropframe.SyntheticStream(
  { framesPerSecond: 30, frameBytes: 4000, keyFrameBytes: 16000, keyInterval: 30, frames: 90, seed: 1 });
const feed = new dropframe.LiveFeed({ startAt: 0, next: () => video.next(),
  deliver: (now, unit) => sender.send(now, unit), finish: () => sender.finish() });
new dropframe.Simulation({ sender, receiver, forward: new dropframe.Link(link, 'forward'),
  back: new dropframe.Link(link, 'back'), scripts: [feed] }).runUntil(dropframe.seconds(4));
window.result = receiver.statistics.frames;
</script>`;

/** Serves the installed package and the page like a static file server. @returns its address. */
async function serveStatically(): Promise<string> {
  const server = createServer((request, response) => {
    const path = normalize(request.url ?? '/');
    const file = join(project, 'node_modules/dropframe', path);
    if (path === '/') return void response.setHeader('content-type', 'text/html').end(PAGE);
    if (extname(path) !== '.js' || !statSync(file, { throwIfNoEntry: false }))
      return void response.writeHead(404).end();
    response.setHeader('content-type', 'text/javascript').end(readFileSync(file));
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

optional(CHROMIUM, HAS_CHROMIUM)(
  'Chromium runs the core from a static server, without a bundler and without shims',
  async () => {
    const browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, args: FLAGS });
    onTestFinished(() => browser.close());
    const page = await browser.newPage();
    const failures: string[] = [];
    page.on('pageerror', (error) => failures.push(error.message));
    page.on('requestfailed', (request) => failures.push(request.url()));
    await page.goto(await serveStatically());
    const frames = await page.waitForFunction('window.result').then((handle) => handle.jsonValue());
    expect(failures).toEqual([]);
    expect(frames).toMatchObject({ decided: 90 });
  },
);
