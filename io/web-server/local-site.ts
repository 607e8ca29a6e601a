import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { type WebSocket, WebSocketServer } from 'ws';
import { addressAndQuery } from '../net/host-and-port.ts';
import type { PageFile } from './module-preloads.ts';
import type { NetworkEntrance, PageInvitation, PageListen } from './network-entrance.ts';
import { LoopbackEntrance, type PageEntrance } from './page-entrance.ts';
import type { SiteWindow, SiteWindowOptions } from './site-window.ts';

/** Limit of windows, far above what one person opens. */
const WINDOWS_MAX = 16;
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

const WRONG_HOST = 'this page is not served by that name: open the address that dropframe printed';

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

/** Sockets of a page. */
export interface SiteSockets {
  /** TCP port on 127.0.0.1; 0: any free port; `undefined`: 7080, or any free port where that is taken. */
  readonly port: number | undefined;
  /** Address for other devices; default: this machine only. */
  readonly listen?: PageListen | undefined;
}

/** Serves files and a WebSocket to its own pages only: on 127.0.0.1, and to other devices that have the token. */
export class LocalSite<Command, Window extends SiteWindow<Command>> {
  readonly #options: LocalSiteOptions<Command, Window>;
  readonly #windows = new Set<Window>();
  readonly #sockets: WebSocketServer;
  readonly #loopback = new LoopbackEntrance();
  #network: NetworkEntrance | undefined;
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
  }

  get url(): string {
    return this.#loopback.url;
  }

  /** Addresses for other devices; `undefined` when the page is for this machine only. */
  get invitation(): PageInvitation | undefined {
    return this.#network?.invitation;
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

  /** @throws {Failure} when a given address or port cannot be used. */
  async listen({ port, listen }: SiteSockets): Promise<void> {
    const { log } = this.#options;
    try {
      // First, because all addresses at a port include 127.0.0.1.
      if (listen) {
        const { NetworkEntrance: Network } = await import('./network-entrance.ts');
        this.#network = this.#attach(await Network.open(listen, log));
      }
      await this.#attach(this.#loopback).listen(port, log);
    } catch (error) {
      this.#network?.server.close();
      throw error;
    }
  }

  #attach<Entrance extends PageEntrance>(entrance: Entrance): Entrance {
    const { server } = entrance;
    server.on('request', (request, response) => this.#answer(entrance, request, response));
    server.on('upgrade', (request, socket, head) => this.#upgrade(entrance, request, socket, head));
    server.on('clientError', (_error, socket) => socket.destroy());
    return entrance;
  }

  /** Announces the end, disconnects windows that do not close, and stops listening. */
  async close(): Promise<void> {
    this.#closing = true;
    for (const window of this.#windows) window.end();
    const servers = [this.#loopback, this.#network].flatMap((entrance) => (entrance ? [entrance.server] : []));
    const closed = Promise.all(servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))));
    for (const server of servers) server.closeIdleConnections();
    const timer = setTimeout(() => {
      for (const window of this.#windows) window.terminate();
      for (const server of servers) server.closeAllConnections();
    }, CLOSE_TIMEOUT_MS);
    await closed;
    clearTimeout(timer);
  }

  #answer(entrance: PageEntrance, request: IncomingMessage, response: ServerResponse): void {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    if (!entrance.isOurHost(request.headers.host, request)) return refuse(response, 421, WRONG_HOST);
    if (entrance.answersFirst(request, response)) return;
    const [path] = addressAndQuery(request.url ?? '/');
    const reads = request.method === 'GET' || request.method === 'HEAD';
    if (reads || isOurOrigin(entrance, request)) {
      if (this.#options.answer(path, request, response)) return;
    }
    if (!reads) return refuse(response, 405, 'only GET and HEAD');
    const file = this.#options.files.get(path);
    if (file === undefined) return refuse(response, 404, 'not found');
    answer(request, response, file.contentType, file.body);
  }

  #upgrade(entrance: PageEntrance, request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { log, socketPath } = this.#options;
    socket.on('error', () => socket.destroy());
    const turnAway = (status: string, why: string): void => {
      log(`page: refused a connection: ${why}`);
      socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    };
    if (!entrance.isOurHost(request.headers.host, request)) return turnAway('421 Misdirected Request', 'foreign host');
    if (!isOurOrigin(entrance, request)) return turnAway('403 Forbidden', 'foreign origin');
    if (!entrance.admits(request)) return turnAway('403 Forbidden', 'without the token');
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

/** Pages of other sites carry another `Origin`. */
function isOurOrigin(entrance: PageEntrance, request: IncomingMessage): boolean {
  const { origin = '' } = request.headers;
  const prefix = `${entrance.scheme}://`;
  return origin.startsWith(prefix) && entrance.isOurHost(origin.slice(prefix.length), request);
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
