import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serializeForParser } from './annex-b-feed.ts';
import type { Picture } from './player.ts';
import type { PlayerCommand, PlayerOverlay } from './player-process.ts';

/** How long a line stays on the picture: longer than the second after which the next one usually comes. */
const SHOWN_MS = 3_000;

/**
 * Where mpv finds its input. Not standard input: where it has no GPU (a virtual machine, Xvfb), mpv 0.35 closes file 0
 * while it looks for one, the X11 connection takes that number, and mpv waits for video from the X server for ever.
 */
const INPUT_DESCRIPTOR = 3;

/** Tried in this order on X11, then whatever else mpv has (the comma at the end): its own second choice, SDL, is slow. */
const X11_OUTPUTS = '--vo=gpu,x11,';

/**
 * mpv, 19 ms from write to screen. Without `--untimed` it assumes 25 frames a second and falls behind.
 * `inherits`: a child process can be given open files beyond the first three (everywhere but on Windows).
 */
export function mpvCommand(
  path: string,
  picture: Picture,
  options: { readonly overlay: string; readonly x11: boolean; readonly inherits: boolean },
): PlayerCommand {
  const flags =
    '--no-config --really-quiet --no-audio --osc=no --profile=low-latency --untimed --demuxer-lavf-format=h264';
  return {
    name: 'mpv',
    path,
    arguments: [
      ...flags.split(' '),
      ...(options.x11 ? [X11_OUTPUTS] : []),
      `--title=${withoutExpansion(picture.title)}`,
      `--input-ipc-server=${options.overlay}`,
      options.inherits ? `fd://${INPUT_DESCRIPTOR}` : '-',
    ],
    inputDescriptor: options.inherits ? INPUT_DESCRIPTOR : 0,
    serialize: serializeForParser,
  };
}

/** Text over the picture through mpv's JSON socket, in a folder that only this user can enter. */
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

  /** Best effort: mpv opens its socket some 100 ms after it starts, and a text that comes before is not shown. */
  showText(text: string): void {
    if (this.#closed) return;
    const socket = this.#connected();
    // A line that mpv has not read yet is stale; a newer one will follow.
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
    socket.resume(); // mpv's answers are of no interest, but must not fill its buffer
    socket.unref();
    this.#socket = socket;
    return socket;
  }
}

/** mpv expands `${property}` in a title (not in a command that comes as a list); `$$` is a plain dollar. */
const withoutExpansion = (text: string): string => text.replaceAll('$', '$$$$');
