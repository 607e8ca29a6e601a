import { utf8Bytes } from '../../protocol/base/text-codec.ts';
import { type Microseconds, milliseconds } from '../../protocol/base/units.ts';
import { describePresentation, type PresentationTrack } from '../../protocol/rtsp/presentation-description.ts';
import {
  headerOf,
  type RtspHeader,
  type RtspRequest,
  type RtspResponse,
  rtspAnswer,
} from '../../protocol/rtsp/rtsp-message.ts';
import type { RtspStatus } from '../../protocol/rtsp/rtsp-status.ts';
import { parseRtspUri, type RtspUri, trackUri } from '../../protocol/rtsp/rtsp-uri.ts';
import {
  type ChosenTransport,
  formatTransport,
  parseTransportOffers,
  type TransportOffer,
} from '../../protocol/rtsp/transport-header.ts';
import type { PlayerSession } from '../player/player-session.ts';
import { RtspAuthentication, type RtspLogin } from './rtsp-authentication.ts';
import type { RtspPeer } from './rtsp-connection.ts';
import { type RefusedSession, TEARDOWN } from './rtsp-sessions.ts';

/** The server, as far as requests of players act on it. */
export interface RtspService {
  /** Path of the presentation, without slashes. */
  readonly path: string;
  /** Name of the source. */
  readonly name: string;
  readonly version: number;
  readonly tracks: readonly PresentationTrack[];
  /** Login that players must give; `undefined`: none. */
  readonly login: RtspLogin | undefined;
  /** True when everything is inside TLS, so that media over UDP would be in the clear. */
  readonly isSecure: boolean;
  /** Silence after which a session ends, seconds. */
  timeoutSeconds(session: PlayerSession): number;
  /** Returns a session of this player; `undefined` when there is none. */
  session(id: string): PlayerSession | undefined;
  /** Makes a place for a player, or returns why there is none. */
  open(connection: RtspPeer, lower: 'udp' | 'tcp', latency: Microseconds): PlayerSession | RefusedSession;
  /** Sets up a track; `undefined` when ports or channels are not available. */
  route(
    session: PlayerSession,
    connection: RtspPeer,
    track: number,
    offer: TransportOffer,
  ): ChosenTransport | undefined;
  /** True when this connection's packets can carry the session. */
  carries(session: PlayerSession, connection: RtspPeer): boolean;
  end(session: PlayerSession, cause: string): void;
}

const METHODS = [
  'OPTIONS',
  'DESCRIBE',
  'SETUP',
  'PLAY',
  'PAUSE',
  'TEARDOWN',
  'GET_PARAMETER',
  'SET_PARAMETER',
] as const;
type Method = (typeof METHODS)[number];
/** Methods of RFC 2326 that a server which only plays does not allow. */
const NOT_ALLOWED: ReadonlySet<string> = new Set(['ANNOUNCE', 'RECORD', 'REDIRECT']);
const isMethod = (text: string): text is Method => (METHODS as readonly string[]).includes(text);
const PUBLIC: RtspHeader = ['Public', METHODS.join(', ')];
const SERVER: RtspHeader = ['Server', 'dropframe'];

/** Age of waiting pictures from which on they are skipped, milliseconds: `?latency=` of the URL, and its default. */
const LATENCY_MS_DEFAULT = 2_000;
const LATENCY_MS = { min: 50, max: 60_000 };

/** Answers the requests of one connection (RFC 2326 §10). */
export class RtspRequests {
  readonly #service: RtspService;
  readonly #connection: RtspPeer;
  readonly #authentication: RtspAuthentication | undefined;
  /** Asked for with DESCRIBE; the URIs of the tracks do not repeat it. */
  #latency: Microseconds = milliseconds(LATENCY_MS_DEFAULT);

  constructor(service: RtspService, connection: RtspPeer) {
    this.#service = service;
    this.#connection = connection;
    this.#authentication = service.login && new RtspAuthentication(service.login, connection.address);
  }

  answer(request: RtspRequest): RtspResponse {
    const sequence = headerOf(request, 'cseq');
    const respond: Respond = (status, headers = [], body) => rtspAnswer(status, sequence, [SERVER, ...headers], body);
    // Without a number the player could not tell which request is answered (RFC 2326 §12.17).
    if (sequence === undefined || !/^\d{1,10}$/.test(sequence)) {
      return rtspAnswer(400, undefined, [SERVER], utf8Bytes('CSeq is missing or no number\r\n'));
    }
    const { method } = request;
    if (!isMethod(method))
      return NOT_ALLOWED.has(method) ? respond(405, [['Allow', PUBLIC[1]]]) : respond(501, [PUBLIC]);
    const required = headerOf(request, 'require') ?? headerOf(request, 'proxy-require');
    if (required !== undefined) return respond(551, [['Unsupported', required]]);
    if (method === 'OPTIONS' && request.uri === '*') return this.#keepAlive(request, respond, [PUBLIC]);
    const uri = parseRtspUri(request.uri);
    if (!uri) return respond(400);
    // Players ask for OPTIONS before they log in, and its answer gives nothing away.
    const refusal = method === 'OPTIONS' ? undefined : this.#refusal(request, respond);
    if (refusal) return refusal;
    if (uri.path !== this.#service.path) return respond(404);
    return this.#handle(method, request, uri, respond);
  }

  /** Returns the answer to a player that has not shown who it is; `undefined` when it may go on. */
  #refusal(request: RtspRequest, respond: Respond): RtspResponse | undefined {
    const authentication = this.#authentication;
    const outcome = authentication?.check(request) ?? 'granted';
    if (!authentication || outcome === 'granted') return undefined;
    return outcome === 'too-many' ? respond(403) : respond(401, authentication.challenges);
  }

  #handle(method: Method, request: RtspRequest, uri: RtspUri, respond: Respond): RtspResponse {
    switch (method) {
      case 'OPTIONS':
        return this.#keepAlive(request, respond, [PUBLIC]);
      case 'GET_PARAMETER':
      case 'SET_PARAMETER':
        // An empty one keeps the session alive; there are no parameters (RFC 2326 §10.8).
        return request.body.length === 0 ? this.#keepAlive(request, respond) : respond(451);
      case 'DESCRIBE':
        return this.#describe(request, uri, respond);
      case 'SETUP':
        return this.#setUp(request, uri, respond);
      case 'PLAY':
        return this.#withSession(request, uri, respond, (session) => this.#play(session, request, uri, respond));
      case 'PAUSE':
        return this.#withSession(request, uri, respond, (session) => {
          session.pause();
          return respond(200, [this.#sessionHeader(session)]);
        });
      case 'TEARDOWN':
        return this.#withSession(request, uri, respond, (session) => {
          this.#service.end(session, TEARDOWN);
          return respond(200);
        });
      default:
        return method satisfies never;
    }
  }

  #keepAlive(request: RtspRequest, respond: Respond, headers: readonly RtspHeader[] = []): RtspResponse {
    const id = sessionIdOf(request);
    if (id === undefined) return respond(200, headers);
    const session = this.#session(id);
    return session ? respond(200, [...headers, this.#sessionHeader(session)]) : respond(454, headers);
  }

  #describe(request: RtspRequest, uri: RtspUri, respond: Respond): RtspResponse {
    const accepted = headerOf(request, 'accept') ?? '*/*';
    if (!/application\/(?:sdp|\*)|\*\/\*/i.test(accepted)) return respond(406);
    const latency = latencyOf(uri);
    if (latency === undefined && uri.query.has('latency')) {
      return respond(400, [], utf8Bytes('latency is no whole number of milliseconds\r\n'));
    }
    this.#latency = latency ?? milliseconds(LATENCY_MS_DEFAULT);
    const { name, version, tracks } = this.#service;
    const host = this.#connection.localAddress.replace(/^::ffff:/i, '');
    const text = describePresentation({ uri: uri.presentation, host, name, version, tracks });
    const headers: RtspHeader[] = [
      ['Content-Type', 'application/sdp'],
      ['Content-Base', `${uri.presentation}/`],
    ];
    return respond(200, headers, utf8Bytes(text));
  }

  #setUp(request: RtspRequest, uri: RtspUri, respond: Respond): RtspResponse {
    const { tracks } = this.#service;
    // A presentation of one track is the track too.
    const track = uri.track ?? (tracks.length === 1 ? 0 : undefined);
    if (track === undefined) return respond(459);
    if (track >= tracks.length) return respond(404);
    const id = sessionIdOf(request);
    const known = id === undefined ? undefined : this.#session(id);
    if (id !== undefined && !known) return respond(454);
    if (known && (known.reachable || known.tracks.has(track))) return respond(455);
    const offers = parseTransportOffers(headerOf(request, 'transport') ?? '');
    const offer = offers.find((each) => this.#accepts(each, known));
    if (!offer) return respond(461);
    const session = known ?? this.#service.open(this.#connection, offer.lower, latencyOf(uri) ?? this.#latency);
    if ('refused' in session) {
      const { refused, retrySeconds } = session;
      const reason = utf8Bytes(`${refused}\r\n`);
      return retrySeconds === undefined
        ? respond(453, [], reason)
        : respond(503, [['Retry-After', `${retrySeconds}`]], reason);
    }
    const route = this.#service.route(session, this.#connection, track, offer);
    if (!route) {
      if (!known) this.#service.end(session, 'no transport');
      return respond(461);
    }
    return respond(200, [['Transport', formatTransport(route)], this.#sessionHeader(session)]);
  }

  /** All tracks of a session go the same way, to the address of the connection only: it is the one that is proved. */
  #accepts(offer: TransportOffer, session: PlayerSession | undefined): boolean {
    const { address } = this.#connection;
    if (offer.isMulticast || offer.mode !== 'PLAY' || (offer.lower === 'udp' && this.#service.isSecure)) return false;
    if (offer.destination !== undefined && offer.destination !== address) return false;
    if (offer.lower === 'udp' && offer.clientPorts === undefined) return false;
    if (session) return session.lower === offer.lower && this.#service.carries(session, this.#connection);
    return true;
  }

  #play(session: PlayerSession, request: RtspRequest, uri: RtspUri, respond: Respond): RtspResponse {
    if (session.tracks.size === 0 || session.hasEnded) return respond(455);
    const range = headerOf(request, 'range');
    if (range !== undefined && !/^(?:npt|smpte|smpte-\w+|clock)\s*=/i.test(range)) return respond(457);
    if (!this.#service.carries(session, this.#connection)) return respond(455);
    // A live stream plays from now on, whatever range is wanted (RFC 7826 §13.4.1).
    const information = session
      .play()
      .map(
        ({ track, sequence, timestamp }) =>
          `url=${trackUri(uri.presentation, track)};seq=${sequence};rtptime=${timestamp}`,
      );
    return respond(200, [this.#sessionHeader(session), ['Range', 'npt=now-'], ['RTP-Info', information.join(',')]]);
  }

  #withSession(
    request: RtspRequest,
    uri: RtspUri,
    respond: Respond,
    work: (session: PlayerSession) => RtspResponse,
  ): RtspResponse {
    const session = this.#session(sessionIdOf(request));
    if (!session) return respond(454);
    // Tracks are not played one by one (RFC 2326 §11.3.11).
    if (uri.track !== undefined && session.tracks.size > 1) return respond(460);
    return work(session);
  }

  #session(id: string | undefined): PlayerSession | undefined {
    const session = id === undefined ? undefined : this.#service.session(id);
    session?.heard();
    return session;
  }

  #sessionHeader(session: PlayerSession): RtspHeader {
    return ['Session', `${session.id};timeout=${this.#service.timeoutSeconds(session)}`];
  }
}

type Respond = (status: RtspStatus, headers?: readonly RtspHeader[], body?: Uint8Array) => RtspResponse;

/** Returns the identifier without its parameters (RFC 2326 §12.37). */
export const sessionIdOf = (request: RtspRequest): string | undefined =>
  headerOf(request, 'session')?.split(';')[0]?.trim();

function latencyOf({ query }: RtspUri): Microseconds | undefined {
  const text = query.get('latency');
  if (text === undefined || !/^\d{1,6}$/.test(text)) return undefined;
  return milliseconds(Math.min(LATENCY_MS.max, Math.max(LATENCY_MS.min, Number(text))));
}
