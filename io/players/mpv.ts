import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Picture } from './player.ts';
import { isSoundAlone, playerFeed } from './player-feed.ts';
import type { PlayerCommand, PlayerOverlay } from './player-process.ts';

/** Display time of an overlay text, milliseconds; the next text usually arrives after one second. */
const SHOWN_MS = 3_000;

/**
 * File descriptor of mpv's input. Not standard input: without a GPU (virtual machine, Xvfb), mpv 0.35 closes descriptor
 * 0 while it looks for one, the X11 connection reuses the number, and mpv waits for video from the X server.
 */
const INPUT_DESCRIPTOR = 3;

/**
 * Video outputs tried on X11, in order; the trailing comma allows all others. mpv's own second choice, SDL, is slow.
 */
const X11_OUTPUTS = '--vo=gpu,x11,';

/**
 * With sound: pictures follow the sound, whose output keeps 100 ms so that it does not stutter; the profile has none. A
 * missing sound does not hold the pictures.
 */
const SOUND_TIMING = '--video-sync=audio --audio-buffer=0.1 --cache=no';

/**
 * Command line of mpv: 19 ms from write to screen. Without `--untimed` mpv assumes 25 frames per second and falls
 * behind.
 * @param options.inherits true when a child process can inherit more than three open files (everywhere but on Windows).
 */
export function mpvCommand(
  path: string,
  picture: Picture,
  options: { readonly overlay: string; readonly x11: boolean; readonly inherits: boolean },
): PlayerCommand {
  const { demuxer, shownOnly, hasSound, ...feed } = playerFeed(picture);
  const timing = hasSound ? SOUND_TIMING : '--no-audio --untimed';
  const flags = `--no-config --really-quiet --osc=no --profile=low-latency ${timing} --demuxer-lavf-format=${demuxer}`;
  return {
    name: 'mpv',
    path,
    arguments: [
      ...flags.split(' '),
      ...(options.x11 ? [X11_OUTPUTS] : []),
      ...(shownOnly === undefined ? [] : [`--vf=lavfi=[${shownOnly}]`]),
      ...(isSoundAlone(picture) ? ['--force-window=yes'] : []),
      ...(picture.rotation ? [`--video-rotate=${picture.rotation}`] : []),
      `--title=${withoutExpansion(picture.title)}`,
      `--input-ipc-server=${options.overlay}`,
      options.inherits ? `fd://${INPUT_DESCRIPTOR}` : '-',
    ],
    inputDescriptor: options.inherits ? INPUT_DESCRIPTOR : 0,
    ...feed,
  };
}

/** Opens a text overlay through mpv's JSON socket, in a folder that only this user can access. */
export async function openMpvOverlay(platform: NodeJS.Platform): Promise<MpvOverlay> {
  if (platform === 'win32') return new MpvOverlay(`\\\\.\\pipe\\dropframe-${process.pid}-${Date.now()}`);
  const folder = await mkdtemp(join(tmpdir(), 'dropframe-mpv-'));
  return new MpvOverlay(join(folder, 'socket'), folder);
}

export class MpvOverlay implements PlayerOverlay {
  readonly address: string;
  readonly #folder: string | undefined;
  #socket: Socket | undefined;
  #closed = false;

  constructor(address: string, folder?: string) {
    this.address = address;
    this.#folder = folder;
  }

  /** Shows a text, best effort: mpv opens its socket about 100 ms after its start, and earlier texts are lost. */
  showText(text: string): void {
    if (this.#closed) return;
    const socket = this.#connected();
    // A text that mpv has not read is stale; a newer one will follow.
    if (socket.writableLength > 0 && !socket.connecting) return;
    socket.write(`${JSON.stringify({ command: ['show-text', text, SHOWN_MS] })}\n`);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket?.destroy();
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
  }

  #connected(): Socket {
    if (this.#socket !== undefined && !this.#socket.destroyed) return this.#socket;
    const socket = connect(this.address);
    socket.on('error', () => socket.destroy());
    socket.resume(); // mpv's answers are not used, but must not fill its buffer
    socket.unref();
    this.#socket = socket;
    return socket;
  }
}

/** Escapes `$`: mpv expands `${property}` in a title (not in a command given as a list). */
const withoutExpansion = (text: string): string => text.replaceAll('$', '$$$$');
