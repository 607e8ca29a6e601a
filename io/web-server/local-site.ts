import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { type WebSocket, WebSocketServer } from 'ws';
import { Failure } from '../os/failure.ts';
import type { PageFile } from './module-preloads.ts';
import type { SiteWindow, SiteWindowOptions } from './site-window.ts';

/** Limit of windows, far above what one person opens. */
const WINDOWS_MAX = 16;
/** Usual port of a page, so that bookmarks and open windows find it again. */
const PAGE_PORT = 7_080;
/** Time for a window to answer the close, milliseconds; after it the window is disconnected. */
const CLOSE_TIMEOUT_MS = 300;

export interface LocalSiteOptions<Command, Window extends SiteWindow<Command>> {
  readonly files: ReadonlyMap<string, PageFile>;
  readonly socketPath: string;
  /** Largest message from a window, bytes. */
  readonly messageBytesMax: number;
  readonly openWindow: (options: Pick<SiteWindowOptions<Command>, 'socket' | 'onEnd'>) => Window;
  /** Called when a window joins; sends it the first announcements. */
  readonly onJoin: (window: Window) => void;
  readonly onLeave?: (window: Window) => void;
  /** Answers a request that is not for a file; returns false to decline. Called for requests of this page only. */
  readonly answer: (path: string, request: IncomingMessage, response: ServerResponse) => boolean;
  readonly log: (message: string) => void;
}

/** Bodies longer than this are zipped, for whoever accepts it. */
const ZIPPED_BYTES_MIN = 1_000;
/** Compression level: the fast ones leave a third more. */
const ZIP_LEVEL = 4;

/** The page may load its own scripts, styles and socket, and nothing else. */
const HEADERS = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cache-Control': 'no-store',
} as const;

/** Serves files and a WebSocket on 127.0.0.1 to its own pages only. */
export class LocalSite<Command, Window extends SiteWindow<Command>> {
  readonly #options: LocalSiteOptions<Command, Window>;
  readonly #windows = new Set<Window>();
  readonly #server = createServer((request, response) => this.#answer(request, response));
  readonly #sockets: WebSocketServer;
  #port = 0;
  #closing = false;

  constructor(options: LocalSiteOptions<Command, Window>) {
    this.#options = options;
    this.#sockets = new WebSocketServer({
      noServer: true,
      perMessageDeflate: false,
      // A client that pings without reading would fill memory with answers; browsers do not ping.
      autoPong: false,
      maxPayload: options.messageBytesMax,
      clientTracking: false,
    });
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    this.#server.on('clientError', (_error, socket) => socket.destroy());
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/`;
  }

  /** Number of connected windows. */
  get windows(): ReadonlySet<Window> {
    return this.#windows;
  }

  /** Bytes queued for all windows. */
  get queuedBytes(): number {
    let total = 0;
    for (const window of this.#windows) total += window.queuedBytes;
    return total;
  }

  /**
   * @param port 0: any free port; `undefined`: 7080, or any free port where that is taken.
   * @throws {Failure} when a given port cannot be used.
   */
  async listen(port: number | undefined): Promise<void> {
    try {
      await this.#listenOn(port ?? PAGE_PORT);
    } catch (error) {
      if (port !== undefined || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') {
        throw new Failure(`the page cannot be served on 127.0.0.1:${port ?? PAGE_PORT}, ${causeOfPort(error)}`, 1);
      }
      this.#options.log(`page: port ${PAGE_PORT} is in use`);
      await this.#listenOn(0);
    }
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async #listenOn(port: number): Promise<void> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  /** Announces the end, disconnects windows that do not close, and stops listening. */
  async close(): Promise<void> {
    this.#closing = true;
    for (const window of this.#windows) window.end();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    const timer = setTimeout(() => {
      for (const window of this.#windows) window.terminate();
      this.#server.closeAllConnections();
    }, CLOSE_TIMEOUT_MS);
    await closed;
    clearTimeout(timer);
  }

  /** Requests from pages of other sites carry another Origin, or another Host (DNS rebinding). */
  #isOurs(host: string | undefined): boolean {
    return host === `127.0.0.1:${this.#port}` || host === `localhost:${this.#port}`;
  }

  #isOurOrigin(origin = ''): boolean {
    return origin.startsWith('http://') && this.#isOurs(origin.slice('http://'.length));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    if (!this.#isOurs(request.headers.host)) return refuse(response, 421, 'wrong host');
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
    const reads = request.method === 'GET' || request.method === 'HEAD';
    if (reads || this.#isOurOrigin(request.headers.origin)) {
      if (this.#options.answer(path, request, response)) return;
    }
    if (!reads) return refuse(response, 405, 'only GET and HEAD');
    const file = this.#options.files.get(path);
    if (file === undefined) return refuse(response, 404, 'not found');
    answer(request, response, file.contentType, file.body);
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { log, socketPath } = this.#options;
    socket.on('error', () => socket.destroy());
    const turnAway = (status: string, why: string): void => {
      log(`page: refused a connection: ${why}`);
      socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    };
    if (!this.#isOurs(request.headers.host)) return turnAway('421 Misdirected Request', 'foreign host');
    if (!this.#isOurOrigin(request.headers.origin)) return turnAway('403 Forbidden', 'foreign origin');
    if (request.url !== socketPath) return turnAway('404 Not Found', 'no such socket');
    if (this.#closing) return turnAway('503 Service Unavailable', 'closing');
    if (this.#windows.size >= WINDOWS_MAX) return turnAway('503 Service Unavailable', 'too many windows');
    (socket as Socket).setNoDelay(true);
    this.#sockets.handleUpgrade(request, socket, head, (opened) => this.#join(opened));
  }

  #join(socket: WebSocket): void {
    const { openWindow, onJoin, onLeave, log } = this.#options;
    const window: Window = openWindow({
      socket,
      onEnd: (fault) => {
        this.#windows.delete(window);
        onLeave?.(window);
        log(fault === undefined ? 'page: a window left' : `page: disconnected a window: ${fault}`);
      },
    });
    this.#windows.add(window);
    log(`page: a window joined, ${this.#windows.size} watching`);
    onJoin(window);
  }
}

function causeOfPort(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return `${code === 'EADDRINUSE' ? 'it is in use' : message}: choose another port`;
}

export function refuse(response: ServerResponse, status: number, why: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' }).end(`${why}\n`);
}

export function answerJson(request: IncomingMessage, response: ServerResponse, value: unknown): true {
  const body = Buffer.from(`${JSON.stringify(value)}\n`);
  return answer(request, response, 'application/json; charset=utf-8', body);
}

export function answer(
  request: IncomingMessage,
  response: ServerResponse,
  contentType: string,
  body: Uint8Array,
): true {
  const zips = body.length > ZIPPED_BYTES_MIN && /gzip/.test(String(request.headers['accept-encoding']));
  const sent = zips ? zipped(body) : body;
  if (zips) response.setHeader('Content-Encoding', 'gzip');
  response.writeHead(200, { 'Content-Type': contentType, 'Content-Length': sent.length });
  response.end(request.method === 'HEAD' ? undefined : sent);
  return true;
}

/** Zipped bodies; those that are sent again and again are zipped once. */
const zippedBodies = new WeakMap<Uint8Array, Uint8Array>();

function zipped(body: Uint8Array): Uint8Array {
  const known = zippedBodies.get(body) ?? gzipSync(body, { level: ZIP_LEVEL });
  zippedBodies.set(body, known);
  return known;
}
