import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { addressCause } from '../net/address-cause.ts';
import { formatAddress, isLoopback, isLoopbackHost, resolveHost } from '../net/host-address.ts';
import type { HostAndPort } from '../net/host-and-port.ts';
import { addressAndQuery } from '../net/host-and-port.ts';
import { PendingSockets } from '../net/pending-sockets.ts';
import { Failure } from '../os/failure.ts';
import { METRICS_CONTENT_TYPE, type MetricFamily, writeMetrics } from './metric-family.ts';

/** Prometheus uses one connection; a few more for people who look. Beyond it, the oldest makes way: one may not read its answer. */
const CONNECTIONS_MAX = 16;
const REQUEST_TIMEOUT_MS = 5_000;
/** Requests of one connection, which may send them all at once; Prometheus opens another. */
const REQUESTS_PER_CONNECTION_MAX = 16;
/** Time for which figures are answered again without being computed anew, milliseconds. */
const FRESH_MS = 250;
const PATH = '/metrics';

/** Serves figures to Prometheus over HTTP, computed when they are asked for, four times a second at most. */
export class MetricsServer {
  readonly #server: Server;
  readonly #families: () => readonly MetricFamily[];
  readonly #host: string;
  /** Name of this machine by which the server was asked for, in lower case. */
  readonly #givenHost: string;
  #answered: { readonly text: string; readonly at: number } | undefined;

  /** @throws {Failure} when the address cannot be used. */
  static async open(address: HostAndPort, families: () => readonly MetricFamily[]): Promise<MetricsServer> {
    const host = await resolveHost(address.host);
    const server = new MetricsServer({ host, givenHost: address.host }, families);
    await server.#listen(address.port);
    return server;
  }

  private constructor(
    { host, givenHost }: { readonly host: string; readonly givenHost: string },
    families: () => readonly MetricFamily[],
  ) {
    this.#host = host;
    this.#givenHost = givenHost.toLowerCase();
    this.#families = families;
    this.#server = createServer(
      { requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS, connectionsCheckingInterval: 1_000 },
      (request, response) => this.#answer(request, response),
    );
    this.#server.maxRequestsPerSocket = REQUESTS_PER_CONNECTION_MAX;
    const pending = new PendingSockets({ pendingMax: CONNECTIONS_MAX });
    this.#server.on('connection', (socket) => pending.add(socket));
    this.#server.on('clientError', (_error, socket) => socket.destroy());
  }

  get url(): string {
    return `http://${formatAddress({ host: this.#host, port: this.#port })}${PATH}`;
  }

  /** True when other machines can reach the server. */
  get isPublic(): boolean {
    return !isLoopback(this.#host);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }

  get #port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? 0;
  }

  async #listen(port: number): Promise<void> {
    try {
      this.#server.listen(port, this.#host);
      await once(this.#server, 'listening');
    } catch (error) {
      const at = formatAddress({ host: this.#host, port });
      throw new Failure(`metrics cannot be served on ${at}: ${addressCause(error)}`);
    }
  }

  #answer({ method, url = '/', headers }: IncomingMessage, response: ServerResponse): void {
    const refuse = (status: number, why: string) =>
      void response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' }).end(`${why}\n`);
    // The name of another site that resolves to this machine (DNS rebinding) must not read a server for this machine.
    if (!this.isPublic && !this.#isOwnName(headers.host))
      return refuse(421, `not served by that name: use ${this.url}`);
    if (method !== 'GET' && method !== 'HEAD') return refuse(405, 'only GET and HEAD');
    if (addressAndQuery(url)[0] !== PATH) return refuse(404, `not found: the figures are at ${PATH}`);
    const text = this.#figures();
    response.writeHead(200, { 'Content-Type': METRICS_CONTENT_TYPE, 'Content-Length': Buffer.byteLength(text) });
    response.end(method === 'HEAD' ? undefined : text);
  }

  #figures(): string {
    const at = performance.now();
    if (this.#answered && at - this.#answered.at < FRESH_MS) return this.#answered.text;
    const text = writeMetrics(this.#families());
    this.#answered = { text, at };
    return text;
  }

  #isOwnName(host = ''): boolean {
    return isLoopbackHost(host) || host.toLowerCase().replace(/:\d{1,5}$/, '') === this.#givenHost;
  }
}
