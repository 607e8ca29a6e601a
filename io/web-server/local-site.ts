import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { Failure } from '../os/failure.ts';
import type { PageFile } from './module-preloads.ts';

export interface LocalSiteOptions {
  readonly files: ReadonlyMap<string, PageFile>;
  readonly socketPath: string;
  /** The longest message that a window may send, bytes. */
  readonly messageBytesMax: number;
  readonly windowsMax: number;
  /** How many windows there are now. */
  readonly windows: () => number;
  readonly onSocket: (socket: WebSocket) => void;
  /** Whether it answered a request that is for no file. Only requests of our own page get here. */
  readonly answer: (path: string, request: IncomingMessage, response: ServerResponse) => boolean;
  readonly log: (message: string) => void;
}

/** A page needs its own scripts, its own style and its own socket, and nothing else from anywhere. */
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

/** A few files and a WebSocket on 127.0.0.1, for pages that it served itself and for no others. */
export class LocalSite {
  readonly #options: LocalSiteOptions;
  readonly #server = createServer((request, response) => this.#answer(request, response));
  readonly #sockets: WebSocketServer;
  #port = 0;
  #closing = false;

  constructor(options: LocalSiteOptions) {
    this.#options = options;
    this.#sockets = new WebSocketServer({
      noServer: true,
      perMessageDeflate: false,
      // A client that pings and never reads would fill our memory with answers; browsers do not ping.
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

  /** @param cut is called after `patienceMs` to end what has not ended by itself. */
  async close(patienceMs: number, cut: () => void): Promise<void> {
    this.#closing = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    const timer = setTimeout(() => {
      cut();
      this.#server.closeAllConnections();
    }, patienceMs);
    await closed;
    clearTimeout(timer);
  }

  /** A page of another site that asks in its user's browser carries another Origin, or another Host (DNS rebinding). */
  #isOurs(host: string | undefined): boolean {
    return host === `127.0.0.1:${this.#port}` || host === `localhost:${this.#port}`;
  }

  #isOurOrigin(origin = ''): boolean {
    return origin.startsWith('http://') && this.#isOurs(origin.slice('http://'.length));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    if (!this.#isOurs(request.headers.host)) return refuse(response, 421, 'this is not the host you asked for');
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
    const reads = request.method === 'GET' || request.method === 'HEAD';
    if (reads || this.#isOurOrigin(request.headers.origin)) {
      if (this.#options.answer(path, request, response)) return;
    }
    if (!reads) return refuse(response, 405, 'only GET and HEAD');
    const file = this.#options.files.get(path);
    if (file === undefined) return refuse(response, 404, 'there is no such page');
    response.writeHead(200, { 'Content-Type': file.contentType, 'Content-Length': file.body.length });
    response.end(request.method === 'HEAD' ? undefined : file.body);
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { log, socketPath, windows, windowsMax, onSocket } = this.#options;
    socket.on('error', () => socket.destroy());
    const turnAway = (status: string, why: string): void => {
      log(`page: refused a connection: ${why}`);
      socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    };
    if (!this.#isOurs(request.headers.host)) return turnAway('421 Misdirected Request', 'foreign host');
    if (!this.#isOurOrigin(request.headers.origin)) return turnAway('403 Forbidden', 'foreign origin');
    if (request.url !== socketPath) return turnAway('404 Not Found', 'no such socket');
    if (this.#closing) return turnAway('503 Service Unavailable', 'closing');
    if (windows() >= windowsMax) return turnAway('503 Service Unavailable', 'too many windows');
    (socket as Socket).setNoDelay(true);
    this.#sockets.handleUpgrade(request, socket, head, onSocket);
  }
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
  response.writeHead(200, { 'Content-Type': contentType, 'Content-Length': body.length });
  response.end(request.method === 'HEAD' ? undefined : body);
  return true;
}
