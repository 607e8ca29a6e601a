import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { Failure } from '../os/failure.ts';
import { ffplayCommand } from './ffplay.ts';
import { mpvCommand, openMpvOverlay } from './mpv.ts';
import type { Environment, Picture, Player } from './player.ts';
import { PlayerProcess } from './player-process.ts';
import { vlcCommand } from './vlc.ts';

/** A player program. */
export type PlayerKind = 'mpv' | 'ffplay' | 'vlc';

export interface PlayerFound {
  readonly kind: PlayerKind;
  readonly path: string;
  /** Why it cannot be used here, as a clause: `there is no display`. */
  readonly obstacle?: string;
}

/** Properties of the machine that matter to players; replaced in tests. */
export interface PlayerHost {
  readonly platform: NodeJS.Platform;
  /** User id; `undefined` on systems without one. */
  readonly uid: number | undefined;
}

const thisHost = (): PlayerHost => ({ platform: process.platform, uid: process.getuid?.() });

/** Order of preference by measured latency and behavior under loss: VLC freezes and adds 180 ms. */
const KINDS: readonly PlayerKind[] = ['mpv', 'ffplay', 'vlc'];

/** True when a window can be opened: on Linux one of two variables must be set, macOS and Windows always can. */
export function hasDisplay(environment: Environment, platform: NodeJS.Platform = process.platform): boolean {
  if (platform === 'darwin' || platform === 'win32') return true;
  return Boolean(environment.DISPLAY) || Boolean(environment.WAYLAND_DISPLAY);
}

/** Returns the installed players in order of preference; unusable ones carry their obstacle. */
export async function findPlayers(
  environment: Environment,
  host: PlayerHost = thisHost(),
): Promise<readonly PlayerFound[]> {
  const found: PlayerFound[] = [];
  for (const kind of KINDS) {
    const path = await locate(kind, environment, host.platform);
    if (path === undefined) continue;
    const obstacle = obstacleFor(kind, environment, host);
    found.push(obstacle === undefined ? { kind, path } : { kind, path, obstacle });
  }
  return found;
}

/**
 * Returns the choice of `--play auto`: mpv, else ffplay, else a page in the desktop's browser, else VLC. Without a
 * display it is the page too, whose address can be opened elsewhere.
 */
export function preferredPlayer(
  found: readonly PlayerFound[],
  desktop: { readonly browser: boolean },
): PlayerKind | 'browser' {
  const usable = found.filter((player) => player.obstacle === undefined).map((player) => player.kind);
  if (usable.includes('mpv')) return 'mpv';
  if (usable.includes('ffplay')) return 'ffplay';
  return usable.includes('vlc') && !desktop.browser ? 'vlc' : 'browser';
}

/** Returns a player. @throws {Failure} with exit code 3 when it cannot be used here. */
export async function requirePlayer(
  kind: PlayerKind,
  environment: Environment = process.env,
  host: PlayerHost = thisHost(),
): Promise<PlayerFound> {
  const found = (await findPlayers(environment, host)).find((player) => player.kind === kind);
  if (found === undefined) {
    throw new Failure(`${kind} is not installed: ${INSTALL[kind]}, or use --play browser`, 3);
  }
  if (found.obstacle !== undefined) {
    throw new Failure(`${kind} cannot be used here: ${found.obstacle}; use --play browser`, 3);
  }
  return found;
}

/** Starts a player and waits until its process runs. @throws {Failure} with exit code 3 when it cannot be used here. */
export async function openPlayer(
  kind: PlayerKind,
  wanted: Picture,
  environment: Environment = process.env,
  host: PlayerHost = thisHost(),
): Promise<Player> {
  const found = await requirePlayer(kind, environment, host);
  const picture = { ...wanted, title: printable(wanted.title) };
  switch (kind) {
    case 'mpv': {
      const overlay = await openMpvOverlay(host.platform);
      const x11 = host.platform !== 'darwin' && host.platform !== 'win32' && Boolean(environment.DISPLAY);
      const command = mpvCommand(found.path, picture, {
        overlay: overlay.address,
        x11,
        inherits: host.platform !== 'win32',
      });
      return PlayerProcess.start(command, environment, overlay);
    }
    case 'ffplay':
      return PlayerProcess.start(ffplayCommand(found.path, picture), environment);
    case 'vlc':
      return PlayerProcess.start(vlcCommand(found.path, picture), environment);
  }
}

/**
 * Cleans a title, which may come from a peer and becomes a program argument: no control characters, at most 200
 * characters.
 */
function printable(title: string): string {
  return title.replace(/\p{Cc}+/gu, ' ').slice(0, 200);
}

const INSTALL: Readonly<Record<PlayerKind, string>> = {
  mpv: 'install mpv (apt install mpv, brew install mpv, winget install mpv)',
  ffplay: 'install ffmpeg with ffplay (apt install ffmpeg, brew install ffmpeg, winget install ffmpeg)',
  vlc: 'install VLC (apt install vlc, brew install --cask vlc, winget install VideoLAN.VLC)',
};

function obstacleFor(kind: PlayerKind, environment: Environment, host: PlayerHost): string | undefined {
  // Without a display all three keep running without a window and report nothing.
  if (!hasDisplay(environment, host.platform)) return 'there is no display (DISPLAY and WAYLAND_DISPLAY are not set)';
  if (kind === 'vlc' && host.uid === 0) return 'VLC refuses to run as root';
  return undefined;
}

async function locate(
  kind: PlayerKind,
  environment: Environment,
  platform: NodeJS.Platform,
): Promise<string | undefined> {
  const file = platform === 'win32' ? `${kind}.exe` : kind;
  const onPath = (environment.PATH ?? environment.Path ?? '').split(delimiter).filter((folder) => folder !== '');
  for (const path of [...onPath.map((folder) => join(folder, file)), ...wellKnown(kind, environment, platform)]) {
    if (await isExecutable(path)) return path;
  }
  return undefined;
}

/** Folders where installers put players without adding them to PATH. */
function wellKnown(kind: PlayerKind, environment: Environment, platform: NodeJS.Platform): readonly string[] {
  if (platform === 'darwin') {
    const application = { mpv: 'mpv.app/Contents/MacOS/mpv', vlc: 'VLC.app/Contents/MacOS/VLC', ffplay: undefined }[
      kind
    ];
    const brewed = [`/opt/homebrew/bin/${kind}`, `/usr/local/bin/${kind}`];
    return application === undefined ? brewed : [...brewed, `/Applications/${application}`];
  }
  if (platform === 'win32') {
    const folder = { mpv: 'mpv', vlc: 'VideoLAN\\VLC', ffplay: 'ffmpeg\\bin' }[kind];
    const roots = [environment.ProgramFiles, environment['ProgramFiles(x86)'], environment.LOCALAPPDATA];
    return roots.filter((root) => root !== undefined).map((root) => `${root}\\${folder}\\${kind}.exe`);
  }
  return [];
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
