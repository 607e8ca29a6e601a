import { once } from 'node:events';
import { createServer, type Server as HttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { addressCause } from '../net/address-cause.ts';
import { formatAddress } from '../net/host-address.ts';
import { Failure } from '../os/failure.ts';

export type PageServerSocket = HttpServer | HttpsServer;

/** A socket on which the page is served, and the checks of its requests. */
export interface PageEntrance {
  readonly server: PageServerSocket;
  readonly scheme: 'http' | 'https';
  /**
   * True for a `Host`, or the host of an `Origin`, by which this socket is known; with DNS rebinding, pages of other sites
   * send another one.
   */
  isOurHost(host: string | undefined, request: IncomingMessage): boolean;
  /** True when the request may see and command the page. */
  admits(request: IncomingMessage): boolean;
  /** Answers a request for admission, and one that is not admitted; returns false for all others. */
  answersFirst(request: IncomingMessage, response: ServerResponse): boolean;
}

const DEFAULT_PORTS = { http: 80, https: 443 } as const;

/** Form in which hosts are compared: in lower case and without the default port, as browsers write them (RFC 6454 §6.2). */
export function comparableHost(host: string, scheme: PageEntrance['scheme']): string {
  const end = `:${DEFAULT_PORTS[scheme]}`;
  const lower = host.toLowerCase();
  return lower.endsWith(end) ? lower.slice(0, -end.length) : lower;
}

/** Usual port of a page, so that bookmarks and open windows find it again. */
const PAGE_PORT = 7_080;
const LOOPBACK = '127.0.0.1';

/** The page for this machine, which needs no admission. */
export class LoopbackEntrance implements PageEntrance {
  readonly server = createServer();
  readonly scheme = 'http';
  #port = 0;

  get url(): string {
    return `http://${LOOPBACK}:${this.#port}/`;
  }

  /**
   * @param port 0: any free port; `undefined`: 7080, or any free port where that is taken.
   * @throws {Failure} when a given port cannot be used.
   */
  async listen(port: number | undefined, log: (message: string) => void): Promise<void> {
    this.#port = await listenOn(this.server, { host: LOOPBACK, port, usual: PAGE_PORT, log });
  }

  isOurHost(host = ''): boolean {
    const names = [LOOPBACK, 'localhost'].map((name) => comparableHost(`${name}:${this.#port}`, this.scheme));
    return names.includes(comparableHost(host, this.scheme));
  }

  admits(): boolean {
    return true;
  }

  answersFirst(): boolean {
    return false;
  }
}

interface ListenPlace {
  readonly host: string;
  /** `undefined`: the usual port, or any free port where that is taken. */
  readonly port: number | undefined;
  readonly usual: number;
  readonly log: (message: string) => void;
}

/** Returns the port on which the server listens. @throws {Failure} when the address or a given port cannot be used. */
export async function listenOn(server: PageServerSocket, { host, port, usual, log }: ListenPlace): Promise<number> {
  const listen = async (on: number): Promise<number> => {
    server.listen(on, host);
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  try {
    return await listen(port ?? usual);
  } catch (error) {
    if (port !== undefined || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') {
      const at = formatAddress({ host, port: port ?? usual });
      throw new Failure(`the page cannot be served on ${at}: ${addressCause(error)}`, 1);
    }
    log(`page: port ${usual} is in use`);
    return await listen(0);
  }
}
