import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Identity } from '../../io/crypto/identity.ts';
import { addressCause } from '../../io/net/address-cause.ts';
import { bracketed } from '../../io/net/control-server.ts';
import { FairWork } from '../../io/net/fair-work.ts';
import { isLoopback, reachableUrls, resolveHost } from '../../io/net/host-address.ts';
import { NetworkShares } from '../../io/net/network-shares.ts';
import { LOOPBACK, NetworkBudgets, networkOf } from '../../io/net/networks.ts';
import { PendingSockets } from '../../io/net/pending-sockets.ts';
import { now } from '../../io/os/clock.ts';
import { causeOf, Failure } from '../../io/os/failure.ts';
import type { Log } from '../../io/os/log.ts';
import type { MediaSource } from '../../io/sources/media-source.ts';
import { deny } from '../../io/web-server/request-body.ts';
import { Peers } from '../../io/webrtc/peers.ts';
import { presentationPath } from '../../protocol/rtsp/rtsp-uri.ts';
import type { SessionOffer } from '../../protocol/whep/session-offer.ts';
import type { HistoryBudget } from '../../sender/history-budget.ts';
import type { PlayerSession } from '../player/player-session.ts';
import { NO_TOTALS, type PlayerTotals, withPlayers } from '../player/player-totals.ts';
import type { LiveStream } from '../stream/live-stream.ts';
import { placeLimits } from '../stream/place-limits.ts';
import { BrowserRendition } from './browser-rendition.ts';
import { WhepAccess } from './whep-access.ts';
import { WhepPage } from './whep-page.ts';
import { INTERNAL_ERROR, type Refusal, WhepRequests } from './whep-requests.ts';
import { DELETED, type WhepClient, type WhepOutcome, WhepSessions } from './whep-sessions.ts';

export interface WhepServerOptions {
  /** The stream, which starts when the first player is connected. */
  readonly live: LiveStream;
  readonly source: MediaSource;
  readonly host: string;
  /** TCP port of HTTP, and UDP port of the media; any free one when 0. */
  readonly port: number;
  /** Largest RTP packet, bytes. */
  readonly datagramBytesMax: number;
  /** Limit of concurrent players, and of those of one network. */
  readonly receiversMax: number;
  readonly receiversPerAddressMax?: number | undefined;
  /** Longest wait of an offer for its turn, milliseconds, beyond which it is refused; default 2,000. */
  readonly offerWaitMsMax?: number;
  /** Packets kept for retransmission. */
  readonly historyBudget: HistoryBudget;
  /** Token that players must bring; `undefined`: none. */
  readonly token?: string | undefined;
  /** Certificate and key: players connect by HTTPS. */
  readonly identity?: Identity | undefined;
  /** Path of ffmpeg, which encodes what browsers do not show. */
  readonly ffmpeg?: string | undefined;
  /** Bit rate of pictures that are encoded for browsers, bits per second. */
  readonly bitrate: number;
  readonly log: Log;
}

/** Open connections for each place of a player, with a request or without; a browser has up to six. */
const CONNECTIONS_PER_PLAYER = 6;
const CONNECTIONS_MIN = 64;
/** Limit of connections without a request, beyond which the oldest of the most crowded network is closed. */
const PENDING_MAX = 64;
const CONNECTIONS_PER_SECOND = 20;
/** Sessions per second of a network: each takes some milliseconds, among them the making of a key. */
const SESSIONS_PER_SECOND = 20;
/** Part of the thread's time that offers may take while others wait: the rest is for those that watch. */
const OFFERS_SHARE = 0.25;
/** Longest wait of an offer: browsers and people give up soon after. */
const OFFER_WAIT_MS_MAX = 2_000;
const OFFERS_WAITING_MAX = 256;
const BUSY = 'too many ask for a session at once';
const STARTING = 'the sender is starting';
const HEADER_BYTES_MAX = 16_384;
const REQUEST_MS_MAX = 10_000;
const KEEP_ALIVE_MS = 5_000;
const CHECK_MS = 1_000;
const CLOSE_MS = 300;
/** Browsers take longer packets on no path: an Ethernet frame less IP, UDP and the tag of SRTP. */
const DATAGRAM_BYTES_MAX = 1_400;
/** Attempts to find a port that is free for TCP and UDP. */
const PORT_ATTEMPTS = 8;

/** Serves a live stream to browsers and other players of WebRTC by WHEP. */
export class WhepServer {
  readonly #options: WhepServerOptions;
  readonly #sessions: WhepSessions;
  readonly #rendition: BrowserRendition;
  readonly #path: string;
  readonly #budgets: { readonly connections: NetworkBudgets; readonly sessions: NetworkBudgets };
  readonly #offers: FairWork;
  #server: Server | undefined;
  #peers: Peers | undefined;
  #ticker: NodeJS.Timeout | undefined;
  #host: string;
  #departed = NO_TOTALS;

  constructor(options: WhepServerOptions) {
    this.#options = options;
    const { live, source, receiversMax, datagramBytesMax, historyBudget, log } = options;
    this.#host = options.host;
    this.#path = presentationPath(source.description.name);
    const connectionsMax = CONNECTIONS_MIN + receiversMax * CONNECTIONS_PER_PLAYER;
    this.#budgets = {
      connections: new NetworkBudgets({ perSecond: CONNECTIONS_PER_SECOND, burst: connectionsMax }),
      sessions: new NetworkBudgets({ perSecond: SESSIONS_PER_SECOND, burst: CONNECTIONS_MIN + receiversMax }),
    };
    this.#offers = new FairWork({
      share: OFFERS_SHARE,
      waitMsMax: options.offerWaitMsMax ?? OFFER_WAIT_MS_MAX,
      waitingMax: OFFERS_WAITING_MAX,
    });
    const { ffmpeg, bitrate } = options;
    const warn = (message: string) => log.warn(message);
    const onFailure = (cause: string) => this.#sessions.endConnected(cause);
    const rendition = new BrowserRendition({ live, source, ffmpeg, bitrate, warn, onFailure });
    this.#rendition = rendition;
    this.#sessions = new WhepSessions({
      live: rendition,
      formats: rendition.formats,
      rotation: source.description.rotation,
      limits: placeLimits(receiversMax, options.receiversPerAddressMax),
      datagramBytesMax: Math.min(datagramBytesMax, DATAGRAM_BYTES_MAX),
      historyBudget,
      peers: () => this.#peers!,
      onJoined: ({ peer }, formats) => log.info(`player ${peer} joined by WHEP`, { formats: formats.join(', ') }),
      onLeft: (...all) => this.#left(...all),
      onFault: ({ peer }, line) => log.error(`player ${peer}: ${line}`),
    });
  }

  /** True where the package for WebRTC is installed. */
  static get isAvailable(): boolean {
    return Peers.isAvailable;
  }

  /** URLs of the stream: pages for browsers, and endpoints for players that speak WHEP. */
  get urls(): readonly string[] {
    const scheme = this.#options.identity ? 'https' : 'http';
    return reachableUrls(scheme, { host: this.#host, port: this.port }, `/${this.#path}`);
  }

  /** SHA-256 of the certificate, hexadecimal digits; `undefined` without HTTPS. */
  get fingerprint(): string | undefined {
    return this.#options.identity?.fingerprint;
  }

  get port(): number {
    const address = this.#server?.address();
    return typeof address === 'object' && address ? address.port : this.#options.port;
  }

  /** Sessions of the players that are connected. */
  get sessions(): readonly PlayerSession[] {
    return this.#sessions.connected;
  }

  /** Totals over all players, including those that have left. */
  get totals(): PlayerTotals {
    return withPlayers(this.#departed, this.sessions);
  }

  /** Opens the ports. @throws {Failure} when one is not available. */
  async listen(): Promise<void> {
    const { port, token } = this.#options;
    this.#host = await resolveHost(this.#options.host);
    const page = await WhepPage.read();
    const requests = new WhepRequests({
      path: this.#path,
      access: new WhepAccess({ token, isLocal: isLoopback(this.#host) }),
      page,
      refusal: (address) => this.#refusal(address),
      unavailable: () => this.#rendition.unavailable(),
      open: (...all) => this.#open(...all),
      ufragOf: (id) => this.#sessions.ufragOf(id),
      end: (id) => this.#sessions.end(id, DELETED),
    });
    for (let attempt = 1; !this.#peers; attempt++) {
      this.#server = await this.#listenWith(requests);
      try {
        this.#peers = await Peers.open({ host: this.#host, port: this.port });
      } catch (error) {
        await this.#closeServer();
        // A free port for TCP may be taken for UDP.
        if (port !== 0 || attempt >= PORT_ATTEMPTS) throw error;
      }
    }
    this.#ticker = setInterval(() => this.#sessions.checkTimeouts(now()), CHECK_MS);
    this.#ticker.unref();
  }

  async close(): Promise<void> {
    clearInterval(this.#ticker);
    this.#offers.close();
    this.#sessions.close();
    await this.#closeServer();
    this.#peers?.close();
  }

  #refusal(address: string): Refusal | undefined {
    // HTTP answers before the port of its media is open.
    if (!this.#peers) return { why: STARTING, retrySeconds: 1 };
    const retrySeconds = this.#offers.busyFor(address);
    if (retrySeconds !== undefined) return { why: BUSY, retrySeconds };
    return this.#budgets.sessions.allows(address) ? undefined : { why: 'too many sessions were made', retrySeconds: 1 };
  }

  async #open(client: WhepClient, offer: SessionOffer): Promise<WhepOutcome> {
    const outcome = await this.#offers.run(client.address, () => this.#sessions.open(client, offer));
    if (outcome.kind === 'busy') return { ...outcome, kind: 'refused', why: BUSY };
    const { result } = outcome;
    // A warning, which is limited in its repetitions: strangers may repeat offers.
    if (result.kind === 'failed') this.#options.log.warn(`WHEP: an offer was not answered: ${result.why}`);
    return result;
  }

  async #listenWith(requests: WhepRequests): Promise<Server> {
    const { port, receiversMax, identity, log } = this.#options;
    const own = {
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: REQUEST_MS_MAX,
      requestTimeout: REQUEST_MS_MAX,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: CHECK_MS,
    };
    const pending = new PendingSockets({ pendingMax: Math.max(PENDING_MAX, receiversMax) });
    const answer = (request: IncomingMessage, response: ServerResponse): void => {
      request.on('error', () => {});
      pending.establish(request.socket);
      requests.answer(request, response).catch((error: unknown) => {
        log.warn(`WHEP: a request was not answered: ${causeOf(error)}`);
        if (response.headersSent) response.destroy();
        else deny(request, response, 500, INTERNAL_ERROR);
      });
    };
    const server = identity
      ? createSecureServer({ ...own, cert: identity.certificate, key: identity.key, minVersion: 'TLSv1.2' }, answer)
      : createServer(own, answer);
    server.maxConnections = CONNECTIONS_MIN + receiversMax * CONNECTIONS_PER_PLAYER;
    const shares = new NetworkShares({ perNetworkMax: Math.ceil(server.maxConnections / 2) });
    server.on('connection', (socket: Socket) => {
      const { remoteAddress = '?' } = socket;
      // Loopback is exempt, because all programs of this machine share it.
      const isWithin = networkOf(remoteAddress) === LOOPBACK || this.#budgets.connections.allows(remoteAddress);
      if (isWithin && shares.admits(socket)) pending.add(socket);
      else socket.destroy();
    });
    server.on('clientError', (_error, socket) => {
      if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      else socket.destroy();
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) =>
        reject(new Failure(`cannot listen on TCP ${bracketed(this.#host)}:${port}: ${addressCause(error)}`)),
      );
      server.listen({ host: this.#host, port }, () => resolve());
    });
    server.on('error', () => {}); // of single connections
    return server;
  }

  async #closeServer(): Promise<void> {
    const server = this.#server;
    if (!server?.listening) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeIdleConnections();
    const timer = setTimeout(() => server.closeAllConnections(), CLOSE_MS);
    await closed;
    clearTimeout(timer);
  }

  #left(session: PlayerSession, cause: string, joined: boolean): void {
    if (!joined) return this.#options.log.info(`player ${session.peer} did not connect: ${cause}`);
    const { packets, frames } = session.totals;
    this.#departed = withPlayers(this.#departed, [session]);
    const why = cause === DELETED ? '' : `: ${cause}`;
    this.#options.log.info(`player ${session.peer} left${why}`, { frames, packets });
  }
}
