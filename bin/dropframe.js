#!/usr/bin/env node
// Runs the compiled command. In a checkout it compiles first what has changed since, so that one command is enough.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { register } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const compiled = join(root, 'dist', 'command', 'main.js');
const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
const rooms = ['protocol', 'sender', 'receiver', 'sim', 'io', 'session', 'lab', 'cli', 'web'];

function newest(folder) {
  let time = 0;
  // By hand: readdir's own recursion takes three times as long, at each start of the command.
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) time = Math.max(time, newest(path));
    else if (entry.isFile()) time = Math.max(time, statSync(path).mtimeMs);
  }
  return time;
}

function stale() {
  if (!existsSync(compiled)) return true;
  const stamp = join(root, 'dist', '.built');
  if (!existsSync(stamp)) return true;
  const builtAt = statSync(stamp).mtimeMs;
  return rooms.some((room) => existsSync(join(root, room)) && newest(join(root, room)) > builtAt);
}

/** True when the list of packages has changed since npm installed them, as after `git pull`. */
function arePackagesOld() {
  const [wanted, installed] = [join(root, 'package-lock.json'), join(root, 'node_modules', '.package-lock.json')];
  return existsSync(wanted) && (!existsSync(installed) || statSync(wanted).mtimeMs > statSync(installed).mtimeMs);
}

if (existsSync(join(root, 'cli', 'main.ts')) && existsSync(compiler) && stale()) {
  const { status, error } = spawnSync(process.execPath, [join(root, 'bin', 'build.js')], { stdio: ['ignore', 2, 2] });
  if (status !== 0) {
    const why = arePackagesOld()
      ? 'the installed packages are older than package-lock.json: run `npm ci`'
      : 'see above';
    process.stderr.write(`dropframe: the sources do not compile: ${error?.message ?? why}\n`);
    process.exit(1);
  }
}
if (!existsSync(compiled)) {
  process.stderr.write('dropframe: it is not compiled and the compiler is not installed: run `npm ci`\n');
  process.exit(3);
}

/** Node 20 opens all modules at once, with a file descriptor for each; this many are enough. */
const FILES_FOR_ALL = 512;
/** Below, nothing works: a thread for the hook, two sockets, and the files of Node itself need this many. */
const FILES_MIN = 40;
const ONE_BY_ONE = `
import { readFileSync } from 'node:fs';
export const load = (url, context, next) =>
  context.format === 'module' && url.startsWith('file:')
    ? { format: 'module', source: readFileSync(new URL(url)), shortCircuit: true }
    : next(url, context);`;

/** Soft limit of open files of this process; unlimited where it is unknown. */
function filesMax() {
  try {
    return Number(/^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? Infinity);
  } catch {
    return Infinity;
  }
}

const files = filesMax();
if (files >= FILES_MIN && files < FILES_FOR_ALL && process.versions.node.startsWith('20.')) {
  register(`data:text/javascript,${encodeURIComponent(ONE_BY_ONE)}`);
}
try {
  const { main } = await import(pathToFileURL(compiled).href);
  process.exit(await main(process.argv));
} catch (error) {
  // Nothing of ours is loaded yet. Anything else is a mistake of ours, and shows where.
  if (error?.code !== 'EMFILE' && error?.code !== 'ENFILE') throw error;
  process.stderr.write('dropframe: too many files are open: raise the limit, such as with `ulimit -n 1024`\n');
  process.exit(1);
}
