import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Socket } from 'node:net';
import { makeIdentity } from '../crypto/identity.ts';
import { SecretToken } from '../crypto/secret-token.ts';
import { formatAddress, reachableAddresses, resolveHost } from '../net/host-address.ts';
import { addressAndQuery } from '../net/host-and-port.ts';
import { PendingSockets } from '../net/pending-sockets.ts';
import { comparableHost, listenOn, type PageEntrance } from './page-entrance.ts';

/** Address at which the page is served to other devices. */
export interface PageListen {
  /** Address of this machine or its name; `0.0.0.0` and `::`: all of its addresses. */
  readonly host: string;
  /** `undefined`: 7081, or any free port where that is taken. */
  readonly port: number | undefined;
}

/** Addresses by which other devices open the page. */
export interface PageInvitation {
  /** One address for each own address that other machines can use, with the token. */
  readonly urls: readonly string[];
  /** SHA-256 of the certificate, 64 hexadecimal digits. */
  readonly fingerprint: string;
}

const NETWORK_PORT = 7_081;
/** Length of the token: it cannot be guessed. */
const TOKEN_BYTES = 16;
const CONNECTIONS_MAX = 128;
/** Limit of connections that have not shown the token; the others are for those that have. */
const PENDING_MAX = 64;
const HANDSHAKE_TIMEOUT_MS = 5_000;
const NOT_ADMITTED =
  'This page opens with the whole address that dropframe printed when it started: it ends in ?token= and a secret.';

/**
 * The page for other devices: HTTPS, without which browsers decode no video (WebCodecs §3: secure contexts only), and a
 * token in the address, which a cookie replaces.
 */
export class NetworkEntrance implements PageEntrance {
  readonly server: Server;
  readonly scheme = 'https';
  readonly #token = randomBytes(TOKEN_BYTES).toString('base64url');
  readonly #secret = new SecretToken(this.#token);
  readonly #addresses: readonly string[];
  readonly #fingerprint: string;
  readonly #pending = new PendingSockets({ pendingMax: PENDING_MAX });
  #port = 0;

  /**
   * @throws {Failure} when the host is unknown, or its port or address cannot be used.
   */
  static async open({ host, port }: PageListen, log: (message: string) => void): Promise<NetworkEntrance> {
    const bound = await resolveHost(host);
    const entrance = new NetworkEntrance(host === bound ? reachableAddresses(bound) : [host]);
    entrance.#port = await listenOn(entrance.server, { host: bound, port, usual: NETWORK_PORT, log });
    return entrance;
  }

  private constructor(addresses: readonly string[]) {
    const { certificate, key, fingerprint } = makeIdentity({ hosts: addresses, at: new Date() });
    this.#addresses = addresses;
    this.#fingerprint = fingerprint;
    this.server = createServer({
      cert: certificate,
      key,
      minVersion: 'TLSv1.2',
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    });
    this.server.maxConnections = CONNECTIONS_MAX;
    this.server.on('connection', (socket) => this.#pending.add(socket as Socket));
  }

  get invitation(): PageInvitation {
    const urls = this.#addresses.map((host) => `https://${this.#formatted(host)}/?token=${this.#token}`);
    return { urls, fingerprint: this.#fingerprint };
  }

  /**
   * Any name may lead here, as behind a NAT; without cookie or token it opens nothing, and a page of a rebound name has
   * neither. The host of an `Origin` must be the one that was asked for.
   */
  isOurHost(host = '', { headers }: IncomingMessage): boolean {
    return comparableHost(host, this.scheme) === comparableHost(headers.host ?? '', this.scheme);
  }

  admits({ headers, socket }: IncomingMessage): boolean {
    const prefix = `${this.#cookieName}=`;
    const cookie = headers.cookie?.split('; ').find((each) => each.startsWith(prefix));
    const isAdmitted = cookie !== undefined && this.#secret.matches(cookie.slice(prefix.length));
    if (isAdmitted) this.#pending.establish(socket);
    return isAdmitted;
  }

  /**
   * Replaces the token of the address by a cookie. The cookie reaches requests of this site only, which a redirection is
   * not when another program or site opened the address: a page of this site goes on.
   */
  answersFirst(request: IncomingMessage, response: ServerResponse): boolean {
    const [path, query] = addressAndQuery(request.url ?? '/');
    const given = new URLSearchParams(query);
    const token = given.get('token');
    if (path === '/' && request.method === 'GET' && token !== null && this.#secret.matches(token)) {
      given.delete('token');
      const target = given.size === 0 ? '/' : `/?${given}`.replaceAll('&', '&amp;');
      response.setHeader('Set-Cookie', `${this.#cookieName}=${this.#token}; Secure; HttpOnly; SameSite=Strict; Path=/`);
      answerWithPage(response, 200, `<a href="${target}">Open dropframe</a>`, target);
      return true;
    }
    if (this.admits(request)) return false;
    answerWithPage(response, 403, NOT_ADMITTED);
    return true;
  }

  /** Cookies are shared between the ports of a host. */
  get #cookieName(): string {
    return `__Host-dropframe-${this.#port}`;
  }

  #formatted(host: string): string {
    return formatAddress({ host, port: this.#port });
  }
}

/** Answers with one sentence, readable on a phone. @param next page that follows at once, and replaces this one. */
function answerWithPage(response: ServerResponse, status: number, sentence: string, next?: string): void {
  const refresh = next === undefined ? '' : `<meta http-equiv="refresh" content="0;url=${next}">`;
  const head = '<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">';
  response.setHeader('Content-Type', 'text/html; charset=utf-8');
  response.writeHead(status).end(`<!doctype html>${head}${refresh}<title>dropframe</title><p>${sentence}</p>\n`);
}
