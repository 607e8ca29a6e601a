import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { constants } from 'node:fs';
import { access, open, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { delimiter, join } from 'node:path';
import { loadAvLibrary } from './encoder/av-library.ts';
import { locateFfmpeg } from './ffmpeg/ffmpeg-locator.ts';
import { tryNamespaces } from './os/network-namespace.ts';
import { within } from './os/time-limit.ts';
import { assertTunCalls, TUN_PATH } from './os/tun-device.ts';
import { findPlayers, hasDisplay } from './players/open-player.ts';
import type { Environment } from './players/player.ts';
import { NATIVE_PACKAGE, nativeLibrary } from './webrtc/native-library.ts';

/** Result of one check. `missing`: a feature of dropframe does not work without it. */
export interface Finding {
  readonly name: string;
  readonly state: 'ok' | 'warn' | 'missing';
  readonly detail: string;
  /** How to fix it, if there is a way. */
  readonly remedy?: string;
}

/** Minimum version of Node.js, as in `engines` of package.json. */
const NODE_VERSION_MIN = [20, 19] as const;
/**
 * Recommended socket buffer, bytes: a quarter of a second at 60 Mb/s. Linux defaults to 212,992, less than a key frame
 * of a fast stream.
 */
const UDP_BUFFER_BYTES = 2_000_000;
/** Time limit of a program's version output, milliseconds: usually 20, more on a network drive. */
const PROBE_MS = 5_000;
/** A datagram takes microseconds; a busy machine takes seconds to deliver it. */
const LOOPBACK_MS = 5_000;
const LOOPBACK_INTERVAL_MS = 200;

/** Checks everything on this machine that dropframe can use. Never throws: a failed check is a finding. */
export async function examine(environment: Environment = process.env): Promise<Finding[]> {
  const examinations: readonly (readonly [string, () => Finding[] | Promise<Finding[]>])[] = [
    ['Node.js', () => [nodeVersion(process.versions.node)]],
    ['ffmpeg', () => ffmpeg(environment)],
    ['encoder', async () => [await encoder()]],
    ['players', () => players(environment)],
    ['display', () => [display(environment)]],
    ['browser', () => browser(environment)],
    ['UDP on loopback', loopback],
    ['UDP buffers', udpBuffers],
    ['UDP segmentation offload', () => [segmentationOffload()]],
    ['browsers (WHEP)', () => [browsers()]],
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

export function nodeVersion(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const good = major > NODE_VERSION_MIN[0] || (major === NODE_VERSION_MIN[0] && minor >= NODE_VERSION_MIN[1]);
  if (good) return { name: 'Node.js', state: 'ok', detail: version };
  const wanted = NODE_VERSION_MIN.join('.');
  const remedy = `install Node.js ${wanted} or later from https://nodejs.org`;
  return { name: 'Node.js', state: 'missing', detail: `${version} is older than ${wanted}`, remedy };
}

/** The adaptive encoder is part of an optional package. */
async function encoder(): Promise<Finding> {
  const name = 'encoder that follows';
  const library = await loadAvLibrary();
  if (library?.Codec.findEncoderByName('libx264')) return { name, state: 'ok', detail: 'x264 in node-av' };
  const detail = 'node-av does not load here: the ffmpeg program encodes, at a fixed bit rate';
  return { name, state: 'warn', detail, remedy: 'npm install node-av' };
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
    const detail = 'no mpv, ffplay or VLC; the page in the browser works without a player';
    return [{ name: 'players', state: 'warn', detail, remedy: 'install mpv, the player with the lowest delay' }];
  }
  return Promise.all(
    found.map(async ({ kind, path, obstacle }): Promise<Finding> => {
      const version = await versionOf(path, kind === 'ffplay' ? '-version' : '--version');
      const detail = `${version.text}, ${path}`;
      if (obstacle !== undefined) return { name: kind, state: 'warn', detail: `${detail}; not usable: ${obstacle}` };
      return { name: kind, state: version.isKnown ? 'ok' : 'warn', detail };
    }),
  );
}

function display(environment: Environment): Finding {
  const names = [environment.DISPLAY, environment.WAYLAND_DISPLAY].filter((name) => name !== undefined && name !== '');
  if (hasDisplay(environment)) return { name: 'display', state: 'ok', detail: names.join(', ') || process.platform };
  const remedy = 'use --play browser and open the address on a machine with a display';
  return { name: 'display', state: 'warn', detail: 'none (DISPLAY and WAYLAND_DISPLAY are not set)', remedy };
}

async function browser(environment: Environment): Promise<Finding[]> {
  if (process.platform === 'darwin' || process.platform === 'win32') {
    return [{ name: 'browser', state: 'ok', detail: 'the default browser of the system' }];
  }
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'microsoft-edge', 'firefox'];
  const there: string[] = [];
  for (const name of names) if (await isOnPath(name, environment)) there.push(name);
  const opener = await isOnPath('xdg-open', environment);
  if (there.length === 0 && !opener) {
    const remedy = 'install chromium or firefox';
    return [{ name: 'browser', state: 'warn', detail: 'none found', remedy }];
  }
  const opens = opener ? 'opened with xdg-open' : 'no xdg-open: open the printed address by hand';
  return [{ name: 'browser', state: 'ok', detail: `${there.join(', ') || 'unknown browser'}; ${opens}` }];
}

async function loopback(): Promise<Finding[]> {
  const name = 'UDP on loopback';
  const socket = createSocket('udp4');
  let repeat: NodeJS.Timeout | undefined;
  try {
    const arrival = new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.once('message', () => resolve());
      socket.bind(0, '127.0.0.1', () => {
        const { port } = socket.address() as AddressInfo;
        const send = (): void => {
          socket.send('dropframe', port, '127.0.0.1', (error) => {
            if (error !== null) reject(error);
          });
        };
        send();
        repeat = setInterval(send, LOOPBACK_INTERVAL_MS);
      });
    });
    if ((await within(LOOPBACK_MS, arrival)) !== undefined) {
      return [{ name, state: 'ok', detail: 'a datagram sent to this machine arrives' }];
    }
    const detail = `unknown: no datagram sent to this machine was seen within ${LOOPBACK_MS / 1_000} s`;
    const remedy = 'try again on an idle machine; if the problem persists, check the firewall rules for 127.0.0.1';
    return [{ name, state: 'warn', detail, remedy }];
  } catch (error) {
    return [{ name, state: 'missing', detail: messageOf(error), remedy: 'check the firewall rules for 127.0.0.1' }];
  } finally {
    clearInterval(repeat);
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

/** UDP segmentation offload exists on Linux only and is set through the optional package koffi. */
function segmentationOffload(): Finding {
  const name = 'UDP segmentation offload';
  if (process.platform !== 'linux')
    return { name, state: 'warn', detail: 'Linux only; fast streams use more CPU without it, and ECN is left out' };
  try {
    createRequire(import.meta.url)('koffi');
    return { name, state: 'ok', detail: 'available (koffi loads)' };
  } catch (error) {
    const detail = `koffi does not load (${messageOf(error)}): fast streams use more CPU, and ECN is left out`;
    return { name, state: 'warn', detail, remedy: 'npm install koffi' };
  }
}

/** WebRTC comes from an optional package. */
function browsers(): Finding {
  const name = 'browsers (WHEP)';
  if (nativeLibrary()) return { name, state: 'ok', detail: 'node-datachannel loads' };
  const detail = 'node-datachannel does not load: browsers are not served';
  return { name, state: 'warn', detail, remedy: `npm install ${NATIVE_PACKAGE}` };
}

/** Checks the TUN device and the network namespaces for `dropframe link --tun`. */
async function tunnel(): Promise<Finding[]> {
  if (process.platform !== 'linux') {
    return [{ name: 'TUN', state: 'warn', detail: 'Linux only; required by `dropframe link --tun`' }];
  }
  return [await tunnelDevice(), await networkNamespaces()];
}

async function tunnelDevice(): Promise<Finding> {
  const name = 'TUN';
  try {
    assertTunCalls();
  } catch {
    const detail = 'koffi does not load; required only by `dropframe link --tun`';
    return { name, state: 'warn', detail, remedy: 'npm install koffi' };
  }
  try {
    await (await open(TUN_PATH, 'r+')).close();
    return { name, state: 'ok', detail: `${TUN_PATH} can be opened` };
  } catch (error) {
    const absent = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const detail = absent ? `${TUN_PATH} does not exist` : `${TUN_PATH} cannot be opened (${messageOf(error)})`;
    const remedy = absent
      ? 'sudo modprobe tun; in a container, add --device /dev/net/tun'
      : `sudo chmod 666 ${TUN_PATH}`;
    return { name, state: 'warn', detail: `${detail}; required only by \`dropframe link --tun\``, remedy };
  }
}

async function networkNamespaces(): Promise<Finding> {
  const name = 'network namespaces';
  const found = await tryNamespaces();
  if ('arguments' in found) return { name, state: 'ok', detail: 'unshare can create one' };
  const detail = `${found.detail}; required only by \`dropframe link --tun\``;
  return { name, state: 'warn', detail, remedy: found.remedy };
}

/** First version number in a program's output, or the reason why there is none. */
function versionOf(path: string, flag: string): Promise<{ readonly text: string; readonly isKnown: boolean }> {
  return new Promise((resolve) => {
    // A failure may still have printed it: VLC as root exits with 1 and names itself.
    execFile(path, [flag], { timeout: PROBE_MS, killSignal: 'SIGKILL', windowsHide: true }, (error, out, err) => {
      const version = /\d+\.\d+[\w.+~-]*/.exec(`${out}\n${err}`)?.[0];
      if (version !== undefined) resolve({ text: version, isKnown: true });
      else if (error?.killed === true)
        resolve({ text: `no answer to ${flag} within ${PROBE_MS / 1_000} s`, isKnown: false });
      else resolve({ text: `no version in its answer to ${flag}`, isKnown: false });
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
