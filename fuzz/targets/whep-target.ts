import { EventEmitter } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { codecByName } from '../../protocol/codec/codecs.ts';
import { chooseFormat, type SentFormat } from '../../protocol/whep/format-choice.ts';
import { type AnsweredStream, plainOffer, writeSessionAnswer } from '../../protocol/whep/session-answer.ts';
import type { SessionOffer } from '../../protocol/whep/session-offer.ts';
import { playerStream } from '../../session/player/player-track.ts';
import { WhepAccess } from '../../session/whep/whep-access.ts';
import type { WhepPage } from '../../session/whep/whep-page.ts';
import { WhepRequests } from '../../session/whep/whep-requests.ts';
import type { FuzzInput } from '../fuzz-input.ts';
import { type FuzzTarget, hold, type Observed } from '../fuzz-target.ts';
import { mutateBytes } from '../mutate-bytes.ts';
import { mutateText } from '../mutate-text.ts';

/** The streams of a sender, in the codecs that browsers take. */
const FORMATS: readonly SentFormat[] = (['h264', 'opus'] as const).map((name) => {
  const codec = codecByName(name);
  return { codec, clockRate: codec.clockRate, parameterSets: [] };
});
const SESSION = '0123456789abcdef01234567';
const TOKEN = 'a secret of no input';
const FINGERPRINT = Array.from({ length: 32 }, (_, index) => (index + 16).toString(16)).join(':');
const HEADERS_MAX = 40;
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'POST', 'PATCH', 'DELETE']);
/** Answers of a WHEP server (PROTOCOL.md §11). */
const STATUSES: ReadonlySet<number> = new Set([
  200, 201, 204, 302, 400, 401, 403, 404, 405, 406, 408, 412, 413, 415, 421, 422, 429, 503,
]);

const OFFER = [
  ...[
    'v=0',
    'o=- 4611731400430051336 2 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    'a=group:BUNDLE 0 1',
    'a=msid-semantic: WMS',
  ],
  ...['m=video 9 UDP/TLS/RTP/SAVPF 96 97 102 103', 'c=IN IP4 0.0.0.0', 'a=rtcp:9 IN IP4 0.0.0.0'],
  ...['a=ice-ufrag:Sd8x', 'a=ice-pwd:qWvPZ3tKz9aXn1kRrBvWmN2c', 'a=ice-options:trickle'],
  ...[`a=fingerprint:sha-256 ${FINGERPRINT}`, 'a=setup:actpass', 'a=mid:0', 'a=recvonly', 'a=rtcp-mux'],
  ...['a=rtpmap:96 VP8/90000', 'a=rtpmap:97 rtx/90000', 'a=fmtp:97 apt=96', 'a=rtpmap:102 H264/90000'],
  ...['a=rtcp-fb:102 nack', 'a=rtcp-fb:102 nack pli', 'a=rtcp-fb:102 ccm fir'],
  ...['a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f'],
  ...['a=rtpmap:103 rtx/90000', 'a=fmtp:103 apt=102'],
  ...['m=audio 9 UDP/TLS/RTP/SAVPF 111', 'c=IN IP4 0.0.0.0', 'a=ice-ufrag:Sd8x', 'a=ice-pwd:qWvPZ3tKz9aXn1kRrBvWmN2c'],
  ...[`a=fingerprint:sha-256 ${FINGERPRINT}`, 'a=setup:actpass', 'a=mid:1', 'a=recvonly', 'a=rtcp-mux'],
  ...['a=rtpmap:111 opus/48000/2', 'a=fmtp:111 minptime=10;useinbandfec=1', ''],
].join('\r\n');
const FRAGMENT = [
  ...['a=ice-ufrag:Sd8x', 'a=ice-pwd:qWvPZ3tKz9aXn1kRrBvWmN2c', 'm=video 9 UDP/TLS/RTP/SAVPF 0', 'a=mid:0'],
  ...['a=candidate:1 1 udp 2122260223 192.0.2.7 50000 typ host generation 0', 'a=end-of-candidates', ''],
].join('\r\n');

const request = (head: readonly string[], body = ''): Uint8Array => Buffer.from(`${head.join('\n')}\n\n${body}`);

/** Requests of a browser in the order of a session, as lines: method and URL, headers, an empty line, the body. */
const DIALOG: readonly Uint8Array[] = [
  request(['GET / HTTP', 'host: 127.0.0.1:8889', 'accept: text/html']),
  request(['GET /film HTTP', 'host: localhost:8889', 'accept: text/html,application/xhtml+xml']),
  request(['OPTIONS /film HTTP', 'host: 127.0.0.1:8889', 'origin: http://localhost:3000']),
  request(
    ['POST /film HTTP', 'host: 127.0.0.1:8889', 'content-type: application/sdp', `authorization: Bearer ${TOKEN}`],
    OFFER,
  ),
  request(
    [
      `PATCH /film/${SESSION} HTTP`,
      'host: [::1]:8889',
      'content-type: application/trickle-ice-sdpfrag',
      'if-match: "01234567"',
    ],
    FRAGMENT,
  ),
  request([`DELETE /film/${SESSION} HTTP`, 'host: 127.0.0.1:8889', 'authorization: Bearer wrong']),
];

/** HTTP requests of players, after Node's parser: methods, paths, headers, offers, candidates. */
export const whepTarget: FuzzTarget = {
  name: 'whep',
  seeds: () => [
    ...[0, 1].map((choices): FuzzInput => ({ choices, steps: DIALOG.map((bytes) => ({ pause: 0, bytes })) })),
    ...DIALOG.map((bytes): FuzzInput => ({ choices: 0, steps: [{ pause: 0, bytes }] })),
  ],
  mutate: (bytes, chance) => (chance.oneIn(4) ? mutateBytes(bytes, chance) : mutateText(bytes, chance)),
  run: async ({ choices, steps }, observed) => {
    const token = choices & 1 ? TOKEN : undefined;
    let sessions = 0;
    const requests = new WhepRequests({
      path: 'film',
      access: new WhepAccess({ token, isLocal: (choices & 2) === 0 }),
      page: PAGE,
      refusal: () => undefined,
      unavailable: async () => (choices & 4 ? 'the encoder has failed' : undefined),
      open: async (_, offer) => {
        const answer = answerTo(offer, observed);
        if (answer === undefined) return { kind: 'no-common-codec', why: 'no codec in common' };
        sessions++;
        return { kind: 'created', id: SESSION, answer };
      },
      ufragOf: (id) => (id === SESSION ? 'Sd8x' : undefined),
      end: (id) => id === SESSION,
    });
    for (const { bytes } of steps) {
      const { request, hasToken } = requestOf(bytes);
      const answer = new Answer();
      const answered = requests.answer(request as unknown as IncomingMessage, answer as unknown as ServerResponse);
      request.deliver();
      const before = sessions;
      await answered;
      hold(answer.isEnded, 'every request is answered');
      hold(STATUSES.has(answer.status), `the status is one of those that are documented: ${answer.status}`);
      hold(token === undefined || hasToken || sessions === before, 'there is no session without the token');
      observed.see(`${METHODS.has(request.method) ? request.method : 'another'} ${answer.status}`);
    }
  },
};

function answerTo(offer: SessionOffer, observed: Observed): string | undefined {
  const streams: AnsweredStream[] = [];
  for (const sent of FORMATS) {
    for (const [media, offered] of offer.media.entries()) {
      const format = chooseFormat(offered, sent);
      if (!format || streams.some((stream) => stream.media === media)) continue;
      const { payloadType, retransmissionPayloadType: retransmission } = format;
      const parameters = playerStream({ ...sent, payloadType }, { datagramBytesMax: 1_200, retransmission });
      streams.push({ media, format, parameters });
      break;
    }
  }
  observed.see(`streams:${streams.map(({ parameters }) => parameters.codec.name)}`);
  if (streams.length === 0) return undefined;
  // The native library gets lines of ours only.
  for (const line of plainOffer(offer, streams).split('\r\n')) {
    hold(/^(?:[vostmca]=[\x20-\x7e]{0,400})?$/.test(line), 'the library gets plain lines');
  }
  const transport = { iceUfrag: 'abcd', icePwd: 'p'.repeat(24), fingerprint: FINGERPRINT, candidates: [] };
  const answer = writeSessionAnswer(offer, streams, {
    transport: { ...transport, setup: 'passive' },
    ...{ cname: 'c', version: 1 },
  });
  const media = answer.match(/^m=/gm)?.length;
  hold(media === offer.media.length, 'an answer has as many media as its offer');
  hold(!/[^\r]\n|\r(?!\n)/.test(answer), 'an answer consists of whole lines');
  return answer;
}

const PAGE = {
  answer: (_: unknown, response: { end(text?: string): void }) => response.end('page'),
} as unknown as WhepPage;

/** A request as far as the server reads it. */
class Request extends EventEmitter {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly socket = { remoteAddress: '192.0.2.7', localAddress: '192.0.2.1', remotePort: 5_000 };
  readonly #body: Buffer;

  constructor(method: string, url: string, headers: IncomingHttpHeaders, body: Buffer) {
    super();
    this.method = method;
    this.url = url;
    this.headers = headers;
    this.#body = body;
  }

  /** Gives the body to those that listen. */
  deliver(): void {
    this.emit('data', this.#body);
    this.emit('end');
    this.emit('close');
  }

  resume(): void {}
  destroy(): void {}
}

class Answer {
  status = 200;
  isEnded = false;
  destroyed = false;

  setHeader(name: string, value: unknown): this {
    hold(/^[\w-]+$/.test(name) && !/[^\t\x20-\x7e]/.test(String(value)), 'a header field can be written');
    return this;
  }

  writeHead(status: number, headers: Readonly<Record<string, unknown>> = {}): this {
    this.status = status;
    for (const [name, value] of Object.entries(headers)) this.setHeader(name, value);
    return this;
  }

  end(): void {
    hold(!this.isEnded, 'a request is answered once');
    this.isEnded = true;
  }
}

function requestOf(bytes: Uint8Array): { readonly request: Request; readonly hasToken: boolean } {
  const text = Buffer.from(bytes).toString('latin1');
  const end = text.indexOf('\n\n');
  const [first = '', ...lines] = (end < 0 ? text : text.slice(0, end)).split('\n');
  const [method = '', url = ''] = first.split(' ');
  const headers: IncomingHttpHeaders = {};
  for (const line of lines.slice(0, HEADERS_MAX)) {
    const [, name, value] = /^([\w-]{1,40}): ?([\t\x20-\x7e\x80-\xff]*)$/.exec(line) ?? [];
    if (name !== undefined) headers[name.toLowerCase()] = value;
  }
  const body = end < 0 ? Buffer.alloc(0) : Buffer.from(text.slice(end + 2), 'latin1');
  const hasToken =
    headers.authorization?.toLowerCase().startsWith('bearer ') === true && headers.authorization.endsWith(TOKEN);
  return { request: new Request(method, url, headers, body), hasToken };
}
