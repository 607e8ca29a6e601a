import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../io/sources/media.ts';
import { ROOT, run } from './dropframe-process.ts';

/** Module hook in Node's loader thread: appends the URL of each module to the file named by the environment. */
const HOOKS = `
import { appendFileSync } from 'node:fs';
export async function load(url, context, nextLoad) {
  if (url.startsWith('file:')) appendFileSync(process.env.LOADED_MODULES, url + '\\n');
  return nextLoad(url, context);
}`;
const REGISTER = `import { register } from 'node:module'; register(${JSON.stringify(dataUrl(HOOKS))});`;
const START = "const { main } = await import('./cli/main.ts'); process.exit(await main(process.argv));";

function dataUrl(source: string): string {
  return `data:text/javascript,${encodeURIComponent(source)}`;
}

/** Runs `dropframe` uncompiled. @returns its output, and the paths of the modules that it loaded. */
const modulesOf = (...args: readonly string[]) => modulesOfScript(START, args);

async function modulesOfScript(script: string, args: readonly string[] = []) {
  const file = join(temporaryFolder(), 'modules');
  const command = ['--import', 'tsx', '--import', dataUrl(REGISTER), '--input-type=module', '--eval', script, '--'];
  const { ended, output } = run('env', [`LOADED_MODULES=${file}`, process.execPath, ...command, 'dropframe', ...args]);
  const code = await ended;
  const modules = readFileSync(file, 'utf8').trim().split('\n');
  const root = `file://${ROOT}/`;
  return { code, text: output.stdout, modules: modules.map((url) => url.replace(root, '').replace(/\?.*$/, '')) };
}

const packageOf = (module: string): string | undefined => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(module)?.[1];
/** Excludes modules loaded by `tsx` to run uncompiled sources. */
const TOOLS = ['tsx', 'esbuild', 'get-tsconfig', 'resolve-pkg-maps'];

const COMMANDS = [
  '',
  'send',
  'receive',
  'demo',
  'link',
  'doctor',
  'completion',
  'lab',
  'lab run',
  'lab sweep',
  'lab merge',
  'lab report',
  'lab calibrate',
  'lab validate',
  'lab list',
];
/** Half of these are the commands and their texts; the rest parse links, addresses and strategy names. */
const MODULES_MAX = 73;

test.for(COMMANDS)('`dropframe %s --help` loads commander and no other package', async (command) => {
  const { code, text, modules } = await modulesOf(...`${command} --help`.trim().split(' '));
  expect(code).toBe(0);
  expect(text).toContain(`Usage: dropframe ${command}`);
  const packages = new Set(modules.map(packageOf).filter((name) => name !== undefined && !TOOLS.includes(name)));
  expect([...packages]).toEqual(['commander']);
  const ours = modules.filter((module) => packageOf(module) === undefined);
  expect(ours).toContain('cli/main.ts');
  expect(ours.length).toBeLessThanOrEqual(MODULES_MAX);
});

test('loads further modules when a command runs, and counts them', async () => {
  const { code, modules } = await modulesOf('receive', 'dropframe://127.0.0.1:1', '--play', 'none', '--timeout', '0.1');
  expect(code).toBe(1);
  expect(modules.map(packageOf)).toContain('zod');
});

test('a raw byte stream is opened without the reader of containers, also where its sound is wanted', async () => {
  const { code, modules } = await modulesOfScript(`
    const { openMediaSource } = await import('./io/sources/open-source.ts');
    const options = { encode: 'auto', bitrate: 2_000_000, gop: 30, sound: {}, warn() {} };
    await (await openMediaSource('samples/counter.h264', options)).close();`);
  expect(code).toBe(0);
  expect(modules).toContain('io/sources/open-source.ts');
  expect(modules.map(packageOf)).not.toContain('mediabunny');
});
