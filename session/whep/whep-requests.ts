import type { IncomingMessage, ServerResponse } from 'node:http';
import { addressAndQuery } from '../../io/net/host-and-port.ts';
import { BodyTooLarge, deny, readBody } from '../../io/web-server/request-body.ts';
import {
  OFFER_BYTES_MAX,
  parseSessionOffer,
  type SessionOffer,
  ufragInFragment,
} from '../../protocol/whep/session-offer.ts';
import type { WhepAccess } from './whep-access.ts';
import type { WhepPage } from './whep-page.ts';
import type { WhepClient, WhepOutcome } from './whep-sessions.ts';

/** Reason for which there is no session, and the time after which it is worth asking again. */
export interface Refusal {
  readonly why: string;
  readonly retrySeconds: number;
}

/** The server, as far as requests of players act on it. */
export interface WhepService {
  /** Path of the endpoint, without slashes. */
  readonly path: string;
  readonly access: WhepAccess;
  readonly page: WhepPage;
  /** Returns why this network can have no session now; `undefined` when it can. */
  refusal(address: string): Refusal | undefined;
  /** Returns the reason for which there is nothing to watch at present. */
  unavailable(): Promise<string | undefined>;
  /** Answers an offer when its turn comes. */
  open(client: WhepClient, offer: SessionOffer): Promise<WhepOutcome>;
  /** ICE user name of the player in a session; `undefined` when there is no such session. */
  ufragOf(id: string): string | undefined;
  /** Ends a session. Returns false when there is none. */
  end(id: string): boolean;
}

const SDP = 'application/sdp';
const FRAGMENT = 'application/trickle-ice-sdpfrag';
const FRAGMENT_BYTES_MAX = 16_384;
/** Time until the body of a request must be there, milliseconds. */
const BODY_MS_MAX = 5_000;
const RETRY_SECONDS = 5;
/** What a player is told of an error of this program; the sender's log has its cause. */
export const INTERNAL_ERROR = 'internal error of the sender';
const ALLOWED = { endpoint: 'GET, HEAD, OPTIONS, POST', session: 'DELETE, OPTIONS, PATCH' } as const;

/** Answers the requests of players (draft-ietf-wish-whep-03; what it shares with WHIP is RFC 9725). */
export class WhepRequests {
  readonly #service: WhepService;

  constructor(service: WhepService) {
    this.#service = service;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { access, path, page } = this.#service;
    const refuse = (status: number, why: string) => deny(request, response, status, why);
    response.setHeader('Cache-Control', 'no-store').setHeader('X-Content-Type-Options', 'nosniff');
    if (!access.isHost(request)) return refuse(421, 'this server is for this machine: use its address, 127.0.0.1');
    const [, own, id, ...rest] = addressAndQuery(request.url ?? '')[0].split('/');
    const { method = '' } = request;
    const isReading = method === 'GET' || method === 'HEAD';
    if (own === '' && id === undefined && isReading)
      return void response.writeHead(302, { Location: `/${path}` }).end();
    if (own !== encodeURIComponent(path) || rest.length > 0) return refuse(404, `not found: the stream is /${path}`);
    if (!this.#answerOrigin(request, response)) {
      return refuse(403, 'pages of other origins may watch only with a token: start the sender with --whep-token-file');
    }
    const isEndpoint = id === undefined || id === '';
    const allowed = isEndpoint ? ALLOWED.endpoint : ALLOWED.session;
    response.setHeader('Allow', allowed);
    if (method === 'OPTIONS') {
      if (isEndpoint) response.setHeader('Accept-Post', SDP);
      else response.setHeader('Accept-Patch', FRAGMENT);
      return void response.setHeader('Access-Control-Allow-Methods', allowed).writeHead(204).end();
    }
    if (isEndpoint && isReading) {
      if (/text\/html/i.test(request.headers.accept ?? '')) return page.answer(request, response);
      return refuse(405, 'this is a WHEP endpoint: POST an offer, or open it in a browser');
    }
    if (!allowed.split(', ').includes(method)) return refuse(405, `allowed here: ${allowed}`);
    if (!this.#mayEnter(request, response)) return;
    if (isEndpoint) return await this.#post(request, response);
    if (this.#service.ufragOf(id) === undefined) return refuse(404, 'no such session');
    if (method === 'PATCH') return await this.#patch(id, request, response);
    this.#service.end(id);
    response.writeHead(200).end();
  }

  /** Sets the headers for pages of other origins. Returns false when the origin is not allowed. */
  #answerOrigin(request: IncomingMessage, response: ServerResponse): boolean {
    response.setHeader('Vary', 'Origin');
    if (request.headers.origin === undefined) return true;
    const origin = this.#service.access.allowedOrigin(request);
    if (origin === undefined) return false;
    response
      .setHeader('Access-Control-Allow-Origin', origin)
      .setHeader('Access-Control-Allow-Headers', 'Authorization, Content-Type, If-Match')
      .setHeader('Access-Control-Expose-Headers', 'Location, ETag, Accept-Patch, Retry-After')
      .setHeader('Access-Control-Max-Age', '600');
    return true;
  }

  #mayEnter(request: IncomingMessage, response: ServerResponse): boolean {
    const outcome = this.#service.access.check(request, addressOf(request));
    if (outcome === 'granted') return true;
    if (outcome === 'too-many') {
      response.setHeader('Retry-After', RETRY_SECONDS * 2);
      deny(request, response, 429, 'too many wrong tokens');
      return false;
    }
    const error = outcome === 'wrong' ? ', error="invalid_token"' : '';
    response.setHeader('WWW-Authenticate', `Bearer realm="dropframe"${error}`);
    deny(
      request,
      response,
      401,
      outcome === 'wrong' ? 'wrong token' : 'a token is required: Authorization: Bearer TOKEN',
    );
    return false;
  }

  async #post(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const refuse = (status: number, why: string) => deny(request, response, status, why);
    if (!isType(request, SDP)) return refuse(415, `expected ${SDP}`);
    const address = addressOf(request);
    const refusal = this.#service.refusal(address);
    if (refusal) return this.#refuseBusy(request, response, refusal);
    const text = await this.#body(request, response, OFFER_BYTES_MAX);
    if (text === undefined) return;
    const offer = parseSessionOffer(text);
    if (!offer.ok) return refuse(400, `not an offer: ${offer.malformed}`);
    const unavailable = await this.#service.unavailable();
    if (unavailable !== undefined) return this.#refuseBusy(request, response, { why: unavailable });
    const { localAddress = '', remotePort } = request.socket;
    const isGone = () => request.socket.destroyed;
    const client = { peer: `${address}:${remotePort}`, address, localAddress, isGone };
    const outcome = await this.#service.open(client, offer.value);
    switch (outcome.kind) {
      case 'created':
        response.writeHead(201, {
          'Content-Type': SDP,
          Location: `/${this.#service.path}/${outcome.id}`,
          ETag: etagOf(outcome.id),
          'Accept-Patch': FRAGMENT,
        });
        return void response.end(outcome.answer);
      case 'no-common-codec':
        return refuse(406, outcome.why);
      case 'failed':
        return refuse(500, INTERNAL_ERROR);
      case 'refused':
        return this.#refuseBusy(request, response, outcome);
      default:
        outcome satisfies never;
    }
  }

  /**
   * Takes trickled candidates (RFC 8840) and does nothing with them: the player's own checks show where it is. ICE is not
   * restarted.
   */
  async #patch(id: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const refuse = (status: number, why: string) => deny(request, response, status, why);
    if (!isType(request, FRAGMENT)) return refuse(415, `expected ${FRAGMENT}`);
    const match = request.headers['if-match'];
    if (match !== undefined && match !== '*' && match !== etagOf(id)) return refuse(412, 'another ICE session');
    const text = await this.#body(request, response, FRAGMENT_BYTES_MAX);
    if (text === undefined) return;
    const ufrag = ufragInFragment(text);
    if (ufrag === undefined) return refuse(400, 'no ICE user name');
    if (ufrag !== this.#service.ufragOf(id)) return refuse(422, 'ICE is not restarted here: DELETE, and POST again');
    response.writeHead(204).end();
  }

  /** Reads a body; `undefined` when it was refused. */
  async #body(request: IncomingMessage, response: ServerResponse, bytesMax: number): Promise<string | undefined> {
    try {
      return await readBody(request, { bytesMax, msMax: BODY_MS_MAX });
    } catch (error) {
      if (error instanceof BodyTooLarge) deny(request, response, 413, `at most ${bytesMax} bytes`);
      else deny(request, response, 408, 'the request did not end');
      return undefined;
    }
  }

  #refuseBusy(
    request: IncomingMessage,
    response: ServerResponse,
    { why, retrySeconds = RETRY_SECONDS }: Partial<Refusal> & Pick<Refusal, 'why'>,
  ): void {
    response.setHeader('Retry-After', retrySeconds);
    deny(request, response, 503, why);
  }
}

const addressOf = (request: IncomingMessage): string => request.socket.remoteAddress ?? '?';
const etagOf = (id: string): string => `"${id.slice(0, 8)}"`;

function isType({ headers }: IncomingMessage, type: string): boolean {
  return headers['content-type']?.split(';')[0]?.trim().toLowerCase() === type;
}
