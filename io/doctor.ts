import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { constants } from 'node:fs';
import { access, open, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { delimiter, join } from 'node:path';
import { locateFfmpeg } from './ffmpeg/ffmpeg-locator.ts';
import { tryNamespaces } from './os/network-namespace.ts';
import { assertTunCalls, TUN_PATH } from './os/tun-device.ts';
import { findPlayers, hasDisplay } from './players/open-player.ts';
import type { Environment } from './players/player.ts';

/** One thing that was looked at. `missing`: something that dropframe offers does not work without it. */
export interface Finding {
  readonly name: string;
  readonly state: 'ok' | 'warn' | 'missing';
  readonly detail: string;
  /** What to do about it, where there is something. */
  readonly remedy?: string;
}

/** `engines` in package.json. */
const NODE_VERSION_MIN = [20, 19] as const;
/** A quarter of a second at 60 Mb/s; Linux starts at 212,992, which a keyframe of a fast stream overruns. */
const UDP_BUFFER_BYTES = 2_000_000;
/** `--version` takes 20 ms; a program on a network drive may take longer. */
const PROBE_MS = 5_000;
const LOOPBACK_MS = 1_000;

/** Looks at everything that dropframe can use on this machine. Never throws: what cannot be looked at is a finding. */
export async function examine(environment: Environment = process.env): Promise<Finding[]> {
  const examinations: readonly (readonly [string, () => Finding[] | Promise<Finding[]>])[] = [
    ['Node.js', () => [nodeVersion(process.versions.node)]],
    ['ffmpeg', () => ffmpeg(environment)],
    ['players', () => players(environment)],
    ['display', () => [display(environment)]],
    ['browser', () => browser(environment)],
    ['UDP on loopback', loopback],
    ['UDP buffers', udpBuffers],
    ['UDP segmentation offload', () => [segmentationOffload()]],
    ['TUN', tunnel],
  ];
  const found = await Promise.all(
    examinations.map(async ([name, look]): Promise<Finding[]> => {
      try {
        return await look();
      } catch (error) {
        return [{ name, state: 'warn', detail: `could not be examined: ${messageOf(error)}` }];
      }
    }),
  );
  return found.flat();
}

/** For people: a line for each finding in aligned columns, its remedy on the line below. */
export function formatFindings(findings: readonly Finding[]): string {
  const width = Math.max(0, ...findings.map((finding) => finding.name.length));
  const words = { ok: 'ok', warn: 'note', missing: 'missing' } as const;
  const lines = findings.flatMap(({ name, state, detail, remedy }) => {
    const line = `${words[state].padEnd(7)}  ${name.padEnd(width)}  ${detail}`.trimEnd();
    return remedy === undefined ? [line] : [line, `${' '.repeat(width + 11)}→ ${remedy}`];
  });
  return `${lines.join('\n')}\n`;
}

export function nodeVersion(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const good = major > NODE_VERSION_MIN[0] || (major === NODE_VERSION_MIN[0] && minor >= NODE_VERSION_MIN[1]);
  if (good) return { name: 'Node.js', state: 'ok', detail: version };
  const wanted = NODE_VERSION_MIN.join('.');
  const remedy = `install Node.js ${wanted} or later from https://nodejs.org`;
  return { name: 'Node.js', state: 'missing', detail: `${version} is older than ${wanted}`, remedy };
}

async function ffmpeg(environment: Environment): Promise<Finding[]> {
  try {
    const { path, version, origin, libx264, warnings } = await locateFfmpeg({ environment });
    const encodes = libx264 ? 'encodes H.264 with libx264' : 'no libx264: copies H.264, cannot encode it';
    const findings: Finding[] = [
      { name: 'ffmpeg', state: libx264 ? 'ok' : 'warn', detail: `${version}, ${path} (${origin}), ${encodes}` },
    ];
    for (const warning of warnings) findings.push({ name: 'ffmpeg', state: 'warn', detail: warning });
    return findings;
  } catch (error) {
    return [{ name: 'ffmpeg', state: 'missing', detail: messageOf(error) }];
  }
}

async function players(environment: Environment): Promise<Finding[]> {
  const found = await findPlayers(environment);
  if (found.length === 0) {
    const detail = 'neither mpv nor ffplay nor VLC; a page in the browser works without them';
    return [{ name: 'players', state: 'warn', detail, remedy: 'install mpv, the fastest of them' }];
  }
  return Promise.all(
    found.map(async ({ kind, path, obstacle }): Promise<Finding> => {
      const version = await versionOf(path, kind === 'ffplay' ? '-version' : '--version');
      const detail = `${version ?? 'version not known'}, ${path}`;
      if (obstacle !== undefined) return { name: kind, state: 'warn', detail: `${detail}; not usable: ${obstacle}` };
      return { name: kind, state: version === undefined ? 'warn' : 'ok', detail };
    }),
  );
}

function display(environment: Environment): Finding {
  const names = [environment.DISPLAY, environment.WAYLAND_DISPLAY].filter((name) => name !== undefined && name !== '');
  if (hasDisplay(environment)) return { name: 'display', state: 'ok', detail: names.join(', ') || process.platform };
  const remedy = 'watch with --play browser and open the address where there is one';
  return { name: 'display', state: 'warn', detail: 'none (DISPLAY and WAYLAND_DISPLAY are not set)', remedy };
}

async function browser(environment: Environment): Promise<Finding[]> {
  if (process.platform === 'darwin' || process.platform === 'win32') {
    return [{ name: 'browser', state: 'ok', detail: "the system's own choice" }];
  }
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'microsoft-edge', 'firefox'];
  const there: string[] = [];
  for (const name of names) if (await isOnPath(name, environment)) there.push(name);
  const opener = await isOnPath('xdg-open', environment);
  if (there.length === 0 && !opener) {
    const remedy = 'install chromium or firefox, or open the address on this machine by other means';
    return [{ name: 'browser', state: 'warn', detail: 'none found', remedy }];
  }
  const opens = opener ? 'xdg-open opens it' : 'no xdg-open: open the printed address by hand';
  return [{ name: 'browser', state: 'ok', detail: `${there.join(', ') || 'not known which'}; ${opens}` }];
}

async function loopback(): Promise<Finding[]> {
  const name = 'UDP on loopback';
  const socket = createSocket('udp4');
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      timer = setTimeout(() => reject(new Error('a datagram to ourselves did not arrive')), LOOPBACK_MS);
      socket.once('error', reject);
      socket.once('message', () => resolve());
      socket.bind(0, '127.0.0.1', () => {
        const { port } = socket.address() as AddressInfo;
        socket.send('dropframe', port, '127.0.0.1', (error) => {
          if (error !== null) reject(error);
        });
      });
    });
    return [{ name, state: 'ok', detail: 'a datagram to ourselves arrives' }];
  } catch (error) {
    return [{ name, state: 'missing', detail: messageOf(error), remedy: 'look at the firewall rules for 127.0.0.1' }];
  } finally {
    clearTimeout(timer);
    socket.close();
  }
}

async function udpBuffers(): Promise<Finding[]> {
  if (process.platform !== 'linux') return [];
  return Promise.all([bufferLimit('receive', 'rmem_max'), bufferLimit('send', 'wmem_max')]);
}

async function bufferLimit(which: 'receive' | 'send', key: 'rmem_max' | 'wmem_max'): Promise<Finding> {
  const name = `UDP ${which} buffer`;
  const bytes = Number(await readFile(`/proc/sys/net/core/${key}`, 'utf8'));
  const detail = `at most ${bytes.toLocaleString('en-US')} bytes`;
  if (bytes >= UDP_BUFFER_BYTES) return { name, state: 'ok', detail };
  const remedy = `sudo sysctl -w net.core.${key}=${UDP_BUFFER_BYTES}`;
  return { name, state: 'warn', detail: `${detail}: a fast stream may overrun it`, remedy };
}

/** Only Linux has it, and it is asked for through the optional package koffi. */
function segmentationOffload(): Finding {
  const name = 'UDP segmentation offload';
  if (process.platform !== 'linux') return { name, state: 'warn', detail: 'only on Linux; fast streams cost more CPU' };
  try {
    createRequire(import.meta.url)('koffi');
    return { name, state: 'ok', detail: 'koffi loads' };
  } catch (error) {
    const detail = `koffi does not load (${messageOf(error)}): fast streams cost more CPU`;
    return { name, state: 'warn', detail, remedy: 'npm install koffi' };
  }
}

/** A virtual network device and a network to put it in, for `dropframe link --tun`. */
async function tunnel(): Promise<Finding[]> {
  if (process.platform !== 'linux') {
    return [{ name: 'TUN', state: 'warn', detail: 'only on Linux; `dropframe link --tun` needs it' }];
  }
  return [await tunnelDevice(), await networkNamespaces()];
}

async function tunnelDevice(): Promise<Finding> {
  const name = 'TUN';
  try {
    assertTunCalls();
  } catch {
    const detail = 'koffi does not load; only `dropframe link --tun` needs it';
    return { name, state: 'warn', detail, remedy: 'npm install koffi' };
  }
  try {
    await (await open(TUN_PATH, 'r+')).close();
    return { name, state: 'ok', detail: `${TUN_PATH} opens` };
  } catch (error) {
    const absent = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const detail = absent ? `there is no ${TUN_PATH}` : `${TUN_PATH} does not open (${messageOf(error)})`;
    const remedy = absent ? 'sudo modprobe tun; a container needs --device /dev/net/tun' : `sudo chmod 666 ${TUN_PATH}`;
    return { name, state: 'warn', detail: `${detail}; only \`dropframe link --tun\` needs it`, remedy };
  }
}

async function networkNamespaces(): Promise<Finding> {
  const name = 'network namespaces';
  const found = await tryNamespaces();
  if ('arguments' in found) return { name, state: 'ok', detail: 'unshare makes one' };
  const detail = `${found.detail}; only \`dropframe link --tun\` needs them`;
  return { name, state: 'warn', detail, remedy: found.remedy };
}

/** The first thing like a version number in what a program prints. */
function versionOf(path: string, flag: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    // A failure may still have printed it: VLC as root exits with 1 and names itself.
    execFile(path, [flag], { timeout: PROBE_MS, killSignal: 'SIGKILL', windowsHide: true }, (_error, out, err) => {
      resolve(/\d+\.\d+[\w.+~-]*/.exec(`${out}\n${err}`)?.[0]);
    });
  });
}

async function isOnPath(name: string, environment: Environment): Promise<boolean> {
  for (const folder of (environment.PATH ?? '').split(delimiter)) {
    if (folder === '') continue;
    try {
      await access(join(folder, name), constants.X_OK);
      return true;
    } catch {
      // not in this folder
    }
  }
  return false;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
