import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { AccessUnit } from '../protocol/access-unit.ts';
import {
  PAGE_SOCKET_PATH,
  type PageCommand,
  type PageDescription,
  type PageStatistics,
  serializePagePicture,
} from '../protocol/page-message.ts';
import { Failure } from './failure.ts';
import { type PageFile, type PageFolders, pageFolders, readPageFiles } from './page-files.ts';
import { PageViewer } from './page-viewer.ts';

/** A page on 127.0.0.1 that shows access units as they come, to any number of windows. */
export interface Page {
  readonly url: string;
  /** Windows that watch now. */
  readonly viewers: number;
  /** Pictures that windows were too slow for, in total. */
  readonly dropped: number;
  /** Bytes of pictures that wait in our memory, over all windows; about 2 MB for each that has stopped reading. */
  readonly queuedBytes: number;
  /** Never blocks and never throws. Windows join at a keyframe, which must bring its parameter sets. */
  write(unit: AccessUnit): void;
  /** Replaces the figures beside the picture, and what `/statistics.json` answers. */
  statistics(record: PageStatistics): void;
  /** Another stream begins: its first access unit is a keyframe. */
  describe(description: PageDescription): void;
  /** Tells the windows that the stream is over and closes everything. May be called twice. */
  close(): Promise<void>;
}

export interface PageOptions {
  /** 0: any free port. */
  readonly port?: number;
  readonly description: PageDescription;
  readonly log: (message: string) => void;
  readonly onCommand?: (command: PageCommand) => void;
  /** Elsewhere than in this package, for a test. */
  readonly folders?: PageFolders;
}

/** Far more windows than one person has; each may hold 2 MB of ours. */
const VIEWERS_MAX = 16;
/** The page's longest command is shorter than this. */
const COMMAND_BYTES_MAX = 256;
/** How long a window has to answer our close before it is cut off. */
const FAREWELL_MS = 300;

/** The page needs its own scripts, its own style and its own socket, and nothing else from anywhere. */
const HEADERS = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cache-Control': 'no-store',
} as const;

export async function openPage(options: PageOptions): Promise<Page> {
  const page = new PageServer(options, await readPageFiles(options.folders ?? pageFolders()));
  await page.listen(options.port ?? 0);
  return page;
}

class PageServer implements Page {
  readonly #log: (message: string) => void;
  readonly #onCommand: ((command: PageCommand) => void) | undefined;
  readonly #files: ReadonlyMap<string, PageFile>;
  readonly #server = createServer((request, response) => this.#answer(request, response));
  readonly #sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    // A client that pings and never reads would fill our memory with answers; browsers do not ping.
    autoPong: false,
    maxPayload: COMMAND_BYTES_MAX,
    clientTracking: false,
  });
  readonly #viewers = new Set<PageViewer>();
  #description: PageDescription;
  #record: PageStatistics = {};
  #pictures = 0;
  #droppedByGone = 0;
  #port = 0;
  #closing: Promise<void> | undefined;

  constructor(options: PageOptions, files: ReadonlyMap<string, PageFile>) {
    this.#files = files;
    this.#description = options.description;
    this.#log = options.log;
    this.#onCommand = options.onCommand;
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    this.#server.on('clientError', (_error, socket) => socket.destroy());
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/`;
  }

  get viewers(): number {
    return this.#viewers.size;
  }

  get dropped(): number {
    let total = this.#droppedByGone;
    for (const viewer of this.#viewers) total += viewer.dropped;
    return total;
  }

  get queuedBytes(): number {
    let total = 0;
    for (const viewer of this.#viewers) total += viewer.queuedBytes;
    return total;
  }

  async listen(port: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) => {
        const cause = error.code === 'EADDRINUSE' ? 'it is in use' : error.message;
        reject(new Failure(`the page cannot be served on 127.0.0.1:${port}, ${cause}: choose another port`, 1));
      });
      this.#server.listen(port, '127.0.0.1', resolve);
    });
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  write(unit: AccessUnit): void {
    const number = this.#pictures;
    this.#pictures = (number + 1) % 2 ** 32;
    if (this.#viewers.size === 0) return;
    const message = serializePagePicture({
      number,
      key: unit.importance === 'key',
      timestamp: unit.timestamp,
      sentAtMs: performance.timeOrigin + performance.now(),
      nalUnits: unit.nalUnits,
    });
    for (const viewer of this.#viewers) viewer.picture(unit.importance, message);
  }

  statistics(record: PageStatistics): void {
    this.#record = record;
    for (const viewer of this.#viewers) viewer.announce({ kind: 'statistics', record });
  }

  describe(description: PageDescription): void {
    this.#description = description;
    for (const viewer of this.#viewers) viewer.announce({ kind: 'description', description });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    for (const viewer of this.#viewers) viewer.end();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    const cut = setTimeout(() => {
      for (const viewer of this.#viewers) viewer.terminate();
      this.#server.closeAllConnections();
    }, FAREWELL_MS);
    await closed;
    clearTimeout(cut);
  }

  /** A page of another site that asks in its user's browser carries another Origin, or another Host (DNS rebinding). */
  #isOurs(host: string | undefined): boolean {
    return host === `127.0.0.1:${this.#port}` || host === `localhost:${this.#port}`;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    const refuse = (status: number, why: string): void => {
      response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' }).end(`${why}\n`);
    };
    if (!this.#isOurs(request.headers.host)) return refuse(421, 'this is not the host you asked for');
    if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(405, 'only GET and HEAD');
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
    const file =
      path === '/statistics.json'
        ? { contentType: 'application/json; charset=utf-8', body: Buffer.from(`${JSON.stringify(this.#record)}\n`) }
        : this.#files.get(path);
    if (file === undefined) return refuse(404, 'there is no such page');
    response.writeHead(200, { 'Content-Type': file.contentType, 'Content-Length': file.body.length });
    response.end(request.method === 'HEAD' ? undefined : file.body);
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const refuse = (status: string, why: string): void => {
      this.#log(`page: refused a connection: ${why}`);
      socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    };
    const origin = request.headers.origin ?? '';
    if (!this.#isOurs(request.headers.host)) return refuse('421 Misdirected Request', 'foreign host');
    if (!origin.startsWith('http://') || !this.#isOurs(origin.slice('http://'.length))) {
      return refuse('403 Forbidden', 'foreign origin');
    }
    if (request.url !== PAGE_SOCKET_PATH) return refuse('404 Not Found', 'no such socket');
    if (this.#closing !== undefined) return refuse('503 Service Unavailable', 'closing');
    if (this.#viewers.size >= VIEWERS_MAX) return refuse('503 Service Unavailable', 'too many windows');
    (socket as Socket).setNoDelay(true);
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) => {
      const viewer = new PageViewer(webSocket, {
        command: (command) => this.#onCommand?.(command),
        end: (fault) => {
          this.#viewers.delete(viewer);
          this.#droppedByGone += viewer.dropped;
          this.#log(fault === undefined ? 'page: a window left' : `page: a window was cut off: ${fault}`);
        },
      });
      this.#viewers.add(viewer);
      this.#log(`page: a window joined, ${this.#viewers.size} watching`);
      viewer.announce({ kind: 'description', description: this.#description });
      viewer.announce({ kind: 'statistics', record: this.#record });
    });
  }
}
