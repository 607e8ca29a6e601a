import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { WebSocket } from 'ws';
import type { Importance } from '../protocol/access-unit.ts';
import type { LaneCommand } from '../protocol/lane-command.ts';
import { LANE_SOCKET_PATH, LANES_MAX, type LaneAnnouncement, UPLOAD_BYTES_MAX } from '../protocol/lane-message.ts';
import { causeOf } from './failure.ts';
import { LaneViewer } from './lane-viewer.ts';
import { answerJson, LocalSite, refuse } from './local-site.ts';
import { type PageFolders, pageFolders, readPageFiles } from './page-files.ts';

export interface LanePageOptions {
  /** 0: any free port. */
  readonly port: number;
  readonly log: (message: string) => void;
  readonly onCommand: (command: LaneCommand) => void;
  /** What a window that joins has to know before anything else. */
  readonly greeting: () => readonly LaneAnnouncement[];
  readonly summary: () => unknown;
  /** A file that was dropped on the page lies here, and is the caller's. Rejects with why it cannot be streamed. */
  readonly onUpload: (upload: { readonly name: string; readonly path: string }) => Promise<void>;
  /** Elsewhere than in this package, for a test. */
  readonly folders?: PageFolders;
  /** For a test that cannot wait for half a gigabyte. */
  readonly uploadBytesMax?: number;
}

const WINDOWS_MAX = 16;
/** Four lanes and a long link are shorter than this. */
const COMMAND_BYTES_MAX = 4_096;
/** A group that is longer is not kept: a window that joins then waits for the next key frame. */
const GROUP_BYTES_MAX = 2_000_000;
const FAREWELL_MS = 300;
const CHECK_MS = 1_000;
const NAME_CHARACTERS_MAX = 80;

interface Group {
  readonly pictures: { readonly importance: Importance; readonly message: Uint8Array }[];
  bytes: number;
}

/** The page with the lanes, on 127.0.0.1, for any number of windows. */
export class LanePage {
  readonly #options: LanePageOptions;
  readonly #site: LocalSite;
  readonly #viewers = new Set<LaneViewer>();
  readonly #check: NodeJS.Timeout;
  /** For each lane, what a window that joins needs to see something at once: all from the last key frame on. */
  readonly #groups = Array.from({ length: LANES_MAX }, (): Group => ({ pictures: [], bytes: 0 }));
  #uploading = false;
  #closing: Promise<void> | undefined;

  static async open(options: LanePageOptions): Promise<LanePage> {
    const files = await readPageFiles(options.folders ?? pageFolders(), 'lanes.html');
    const page = new LanePage(options, files);
    await page.#site.listen(options.port);
    return page;
  }

  private constructor(options: LanePageOptions, files: Awaited<ReturnType<typeof readPageFiles>>) {
    this.#options = options;
    this.#site = new LocalSite({
      files,
      socketPath: LANE_SOCKET_PATH,
      messageBytesMax: COMMAND_BYTES_MAX,
      windowsMax: WINDOWS_MAX,
      windows: () => this.#viewers.size,
      onSocket: (socket) => this.#join(socket),
      answer: (path, request, response) => this.#answer(path, request, response),
      log: options.log,
    });
    this.#check = setInterval(() => {
      for (const viewer of this.#viewers) viewer.checkReading();
    }, CHECK_MS);
  }

  get url(): string {
    return this.#site.url;
  }

  /** Windows that watch now. */
  get viewers(): number {
    return this.#viewers.size;
  }

  /** Bytes that wait in our memory, over all windows. */
  get queuedBytes(): number {
    let total = 0;
    for (const viewer of this.#viewers) total += viewer.queuedBytes;
    return total;
  }

  /** Never blocks and never throws. */
  picture(importance: Importance, lane: number, message: Uint8Array): void {
    this.#keep(importance, lane, message);
    for (const viewer of this.#viewers) viewer.picture(importance, lane, message);
  }

  announce(announcement: LaneAnnouncement): void {
    if (this.#viewers.size === 0) return;
    const text = JSON.stringify(announcement);
    for (const viewer of this.#viewers) viewer.announce(announcement.kind, text);
  }

  /** Tells the windows that it is over and closes everything. May be called twice. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    clearInterval(this.#check);
    this.announce({ kind: 'ended' });
    for (const viewer of this.#viewers) viewer.end();
    await this.#site.close(FAREWELL_MS, () => {
      for (const viewer of this.#viewers) viewer.terminate();
    });
  }

  #join(socket: WebSocket): void {
    const viewer = new LaneViewer(socket, {
      command: (command) => this.#options.onCommand(command),
      end: (fault) => {
        this.#viewers.delete(viewer);
        this.#options.log(fault === undefined ? 'page: a window left' : `page: a window was cut off: ${fault}`);
      },
    });
    this.#viewers.add(viewer);
    this.#options.log(`page: a window joined, ${this.#viewers.size} watching`);
    for (const announcement of this.#options.greeting()) {
      viewer.announce(announcement.kind, JSON.stringify(announcement));
    }
    for (const [lane, { pictures }] of this.#groups.entries()) {
      for (const { importance, message } of pictures) viewer.picture(importance, lane, message);
    }
  }

  #keep(importance: Importance, lane: number, message: Uint8Array): void {
    const group = this.#groups[lane];
    if (!group) return;
    if (importance === 'key') this.#groups[lane] = { pictures: [{ importance, message }], bytes: message.length };
    else if (group.pictures.length > 0 && group.bytes + message.length <= GROUP_BYTES_MAX) {
      group.pictures.push({ importance, message });
      group.bytes += message.length;
    } else this.#groups[lane] = { pictures: [], bytes: 0 };
  }

  #answer(path: string, request: IncomingMessage, response: ServerResponse): boolean {
    if (request.method === 'POST') {
      if (path !== '/source') return false;
      void this.#receive(request, response);
      return true;
    }
    return path === '/summary.json' && answerJson(request, response, this.#options.summary());
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { onUpload, uploadBytesMax = UPLOAD_BYTES_MAX, log } = this.#options;
    // What is still coming is thrown away for a moment, so that the answer is read before the connection ends.
    const deny = (status: number, why: string): void => {
      response.setHeader('Connection', 'close');
      refuse(response, status, why);
      request.resume();
      setTimeout(() => request.destroy(), FAREWELL_MS).unref();
      log(`page: refused a file: ${why}`);
    };
    const announced = Number(request.headers['content-length'] ?? 0);
    const tooLarge = `a file may have ${Math.floor(uploadBytesMax / 1e6)} MB at most: dropframe demo FILE takes any`;
    if (announced > uploadBytesMax) return deny(413, tooLarge);
    if (this.#uploading) return deny(409, 'another file is being sent');
    this.#uploading = true;
    const folder = await mkdtemp(join(tmpdir(), 'dropframe-upload-'));
    const name = nameOf(request.url ?? '');
    const path = join(folder, name);
    try {
      await pipeline(request, limited(uploadBytesMax, tooLarge), createWriteStream(path));
      await onUpload({ name, path });
      response.writeHead(204).end();
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      if (!response.destroyed) deny(error instanceof TooLarge ? 413 : 422, causeOf(error).replaceAll(path, name));
    } finally {
      this.#uploading = false;
    }
  }
}

class TooLarge extends Error {}

function limited(bytesMax: number, why: string): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > bytesMax) done(new TooLarge(why));
      else done(null, chunk);
    },
  });
}

/** The file's name as the user knows it, without anything that means something to a file system. */
function nameOf(url: string): string {
  const asked = new URL(url, 'http://127.0.0.1').searchParams.get('name') ?? '';
  const plain = basename(asked)
    .replaceAll(/[^\p{L}\p{N}._ -]/gu, '_')
    .slice(-NAME_CHARACTERS_MAX);
  return plain.replace(/^\.+/, '') || 'upload';
}
