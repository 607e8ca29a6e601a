import type { Identity } from '../../io/crypto/identity.ts';
import { ControlServer, type PendingConnection } from '../../io/net/control-server.ts';
import { reachableUrls, resolveHost } from '../../io/net/host-address.ts';
import { NetworkBudgets } from '../../io/net/networks.ts';
import { secureContext } from '../../io/net/secure-channel.ts';
import { now } from '../../io/os/clock.ts';
import type { Log } from '../../io/os/log.ts';
import type { MediaSource } from '../../io/sources/media-source.ts';
import { elapsed, inSeconds } from '../../protocol/base/units.ts';
import { codecByName } from '../../protocol/codec/codecs.ts';
import type { Credentials } from '../../protocol/rtsp/digest.ts';
import type { PresentationTrack } from '../../protocol/rtsp/presentation-description.ts';
import { headerOf, type RtspRequest, type RtspResponse, rtspAnswer } from '../../protocol/rtsp/rtsp-message.ts';
import { presentationPath } from '../../protocol/rtsp/rtsp-uri.ts';
import { STREAM_DEFAULTS } from '../../protocol/stream-parameters.ts';
import type { PlayerSession } from '../player/player-session.ts';
import { NO_TOTALS, type PlayerTotals, withPlayers } from '../player/player-totals.ts';
import type { LiveStream } from '../stream/live-stream.ts';
import { placeLimits } from '../stream/place-limits.ts';
import { MediaPorts } from './media-ports.ts';
import { RtspLogin } from './rtsp-authentication.ts';
import { RtspConnection } from './rtsp-connection.ts';
import { RtspRequests, sessionIdOf } from './rtsp-requests.ts';
import { RtspSessions, SESSION_TIMEOUT, TEARDOWN, UDP_KEEP_ALIVE } from './rtsp-sessions.ts';

export interface RtspServerOptions {
  /** The stream, which starts when the first player plays. */
  readonly live: LiveStream;
  readonly source: MediaSource;
  readonly host: string;
  /** TCP port; any free one when 0. */
  readonly port: number;
  /** Largest RTP packet, bytes. */
  readonly datagramBytesMax: number;
  /** Limit of concurrent players, and of those of one network. */
  readonly receiversMax: number;
  readonly receiversPerAddressMax?: number | undefined;
  /** Name and password that players must know; `undefined`: none. */
  readonly credentials?: Credentials | undefined;
  /** Certificate and key: players connect by TLS (`rtsps`). */
  readonly identity?: Identity | undefined;
  readonly log: Log;
}

/** Connections without a session; beyond it, the oldest is closed. */
const PENDING_MAX = 64;
const FIRST_REQUEST_TIMEOUT_MS = 10_000;
const CHECK_MS = 1_000;
/** Sessions and requests per second of a network, whatever number of connections it has: a session takes about a millisecond. */
const SESSIONS_PER_SECOND = 20;
const REQUESTS_PER_SECOND = 200;
/** Requests of a player that starts. */
const REQUESTS_PER_SESSION = 10;
const BUSY = { refused: 'too many sessions were made', retrySeconds: 1 } as const;
/** Payload types of the tracks, from the dynamic range (RFC 3551 §3). */
const { payloadType: VIDEO_PAYLOAD_TYPE } = STREAM_DEFAULTS;
const SOUND_PAYLOAD_TYPE = VIDEO_PAYLOAD_TYPE + 1;

/** Serves a live stream to players by RTSP 1.0 (RFC 2326): over UDP, or interleaved over the player's connection. */
export class RtspServer {
  readonly #options: RtspServerOptions;
  readonly #control: ControlServer;
  readonly #connections = new Set<RtspConnection>();
  readonly #sessions: RtspSessions;
  readonly #path: string;
  readonly #login: RtspLogin | undefined;
  readonly #budgets: { readonly requests: NetworkBudgets; readonly sessions: NetworkBudgets };
  #ticker: NodeJS.Timeout | undefined;
  #host: string;
  #ports: MediaPorts | undefined;
  #departed = NO_TOTALS;

  constructor(options: RtspServerOptions) {
    this.#options = options;
    const { live, source, receiversMax, datagramBytesMax, credentials, identity, log } = options;
    this.#login = credentials && new RtspLogin(credentials);
    const sessionsBurst = PENDING_MAX + receiversMax;
    this.#budgets = {
      requests: new NetworkBudgets({ perSecond: REQUESTS_PER_SECOND, burst: REQUESTS_PER_SESSION * sessionsBurst }),
      sessions: new NetworkBudgets({ perSecond: SESSIONS_PER_SECOND, burst: sessionsBurst }),
    };
    this.#host = options.host;
    this.#path = presentationPath(source.description.name);
    this.#sessions = new RtspSessions({
      live,
      tracks: tracksOf(source),
      rotation: source.description.rotation,
      limits: placeLimits(receiversMax, options.receiversPerAddressMax),
      datagramBytesMax,
      ports: () => this.#ports,
      onJoined: ({ peer, lower }) => log.info(`player ${peer} joined by RTSP`, { transport: lower }),
      onLeft: (session, cause) => this.#left(session, cause),
      onFault: ({ peer }, line) => log.error(`player ${peer}: ${line}`),
    });
    this.#control = new ControlServer({
      host: options.host,
      port: options.port,
      pendingMax: Math.max(PENDING_MAX, receiversMax),
      connectionsMax: PENDING_MAX + receiversMax * 2,
      firstMessageTimeoutMs: FIRST_REQUEST_TIMEOUT_MS,
      secure: identity && { context: secureContext(identity), fingerprint: identity.fingerprint, anyProtocol: true },
      onConnection: (pending) => this.#welcome(pending),
    });
  }

  /** URLs of the stream for players. */
  get urls(): readonly string[] {
    const scheme = this.#options.identity ? 'rtsps' : 'rtsp';
    return reachableUrls(scheme, { host: this.#host, port: this.port }, `/${this.#path}`);
  }

  get port(): number {
    return this.#control.port;
  }

  get sessions(): readonly PlayerSession[] {
    return this.#sessions.all;
  }

  get totals(): PlayerTotals {
    return withPlayers(this.#departed, this.sessions);
  }

  /** Opens the ports. @throws {Failure} when one is not available. */
  async listen(): Promise<void> {
    this.#host = await resolveHost(this.#options.host);
    await this.#control.listen(this.#host);
    try {
      this.#ports = await MediaPorts.open(this.#host);
    } catch (error) {
      await this.#control.close();
      throw error;
    }
    this.#ticker = setInterval(() => this.#tick(), CHECK_MS);
    this.#ticker.unref();
  }

  async close(): Promise<void> {
    clearInterval(this.#ticker);
    this.#sessions.close();
    await Promise.all([...this.#connections].map((connection) => connection.close()));
    this.#ports?.close();
    await this.#control.close();
  }

  #welcome({ socket, channel, peer, address, established }: PendingConnection): void {
    const { source, identity } = this.#options;
    // A player that speaks RTSP without TLS would not understand a refusal in TLS, and must get nothing in the clear.
    if (identity && !channel) return void socket.destroy();
    const connection: RtspConnection = new RtspConnection({
      socket,
      peer,
      address,
      onRequest: (request) => (this.#isWithin(address, request) ? requests.answer(request) : busy(request)),
      onPacket: (channel, packet) => this.#sessions.receive(connection, channel, packet),
      onClose: () => {
        this.#connections.delete(connection);
        this.#sessions.forget(connection);
      },
    });
    const requests = new RtspRequests(
      {
        path: this.#path,
        name: source.description.name,
        version: this.#control.port,
        tracks: tracksOf(source),
        login: this.#login,
        isSecure: identity !== undefined,
        timeoutSeconds: ({ lower }) => inSeconds(lower === 'udp' ? UDP_KEEP_ALIVE : SESSION_TIMEOUT),
        // Until then it is one of the connections that have shown nothing.
        session: (id) => {
          const session = this.#sessions.session(id, connection);
          if (session) established();
          return session;
        },
        open: (...all) => {
          if (!this.#budgets.sessions.allows(address)) return BUSY;
          const session = this.#sessions.open(...all);
          if (!('refused' in session)) established();
          return session;
        },
        route: (...all) => this.#sessions.route(...all),
        carries: (...all) => this.#sessions.carries(...all),
        end: (...all) => this.#sessions.end(...all),
      },
      connection,
    );
    this.#connections.add(connection);
  }

  /** True for requests of sessions, which have their connection's limit, and others within the limit of their network. */
  #isWithin(address: string, request: RtspRequest): boolean {
    const id = sessionIdOf(request);
    return (id !== undefined && this.#sessions.has(id)) || this.#budgets.requests.allows(address);
  }

  #left(session: PlayerSession, cause: string): void {
    const { packets, frames, skipped } = session.totals;
    this.#departed = withPlayers(this.#departed, [session]);
    const why = cause === TEARDOWN ? '' : `: ${cause}`;
    this.#options.log.info(`player ${session.peer} left${why}`, { frames, packets, skipped });
  }

  #tick(): void {
    const at = now();
    this.#sessions.checkTimeouts(at);
    for (const connection of this.#connections) {
      connection.checkTimeout(at);
      if (elapsed(connection.heardAt, at) > SESSION_TIMEOUT && !this.#sessions.uses(connection)) connection.destroy();
    }
  }
}

function busy(request: RtspRequest): RtspResponse {
  return rtspAnswer(503, headerOf(request, 'cseq'), [['Retry-After', `${BUSY.retrySeconds}`]]);
}

function tracksOf({ description, sound }: MediaSource): PresentationTrack[] {
  const codec = codecByName(description.codecName);
  const { parameterSets } = description;
  // A source of sound alone has a clock of its own.
  const ownRate = description.clockRate ?? codec.clockRate;
  const video = { codec, payloadType: VIDEO_PAYLOAD_TYPE, clockRate: ownRate, parameterSets };
  if (!sound) return [video];
  const { codecName, clockRate, parameterSets: configuration } = sound.description;
  const soundCodec = codecByName(codecName);
  const own = { codec: soundCodec, payloadType: SOUND_PAYLOAD_TYPE, clockRate, parameterSets: configuration };
  return [video, own];
}
