import { createHash } from 'node:crypto';
import { equalSecrets } from '../../io/crypto/secret-token.ts';
import { NetworkBudgets } from '../../io/net/networks.ts';
import {
  type Credentials,
  type DigestAnswer,
  type DigestHash,
  digestChallenges,
  digestResponse,
  parseDigestAnswer,
} from '../../protocol/rtsp/digest.ts';
import { headerOf, type RtspHeader, type RtspRequest } from '../../protocol/rtsp/rtsp-message.ts';
import { parseRtspUri } from '../../protocol/rtsp/rtsp-uri.ts';
import { randomHex } from '../stream/identifiers.ts';

/** Wrong answers of a network: at once, and per second after that. */
const GUESSES_BURST = 20;
const GUESSES_PER_SECOND = 0.1;
const REALM = 'dropframe';

const hash: DigestHash = (algorithm, text) =>
  createHash(algorithm === 'MD5' ? 'md5' : 'sha256')
    .update(text)
    .digest('hex');

/** The login of an RTSP server, and the wrong answers to it. */
export class RtspLogin {
  readonly credentials: Credentials;
  readonly #guesses = new NetworkBudgets({ perSecond: GUESSES_PER_SECOND, burst: GUESSES_BURST });

  constructor(credentials: Credentials) {
    this.credentials = credentials;
  }

  /** True when this address has no guess left. */
  isSpent(address: string): boolean {
    return this.#guesses.isSpent(address);
  }

  countGuess(address: string): void {
    this.#guesses.allows(address);
  }
}

/** Digest authentication on one connection (RFC 7616), whose nonce is not valid on any other. */
export class RtspAuthentication {
  readonly #login: RtspLogin;
  readonly #address: string;
  readonly #nonce = randomHex(16);
  #countHighest = 0;

  constructor(login: RtspLogin, address: string) {
    this.#login = login;
    this.#address = address;
  }

  /** Header fields of the answer 401. */
  get challenges(): RtspHeader[] {
    return digestChallenges({ realm: REALM, nonce: this.#nonce }).map((value) => ['WWW-Authenticate', value]);
  }

  /** `granted`, or why not: without an answer to the challenge, with a wrong one, or with too many of those. */
  check(request: RtspRequest): 'granted' | 'unanswered' | 'wrong' | 'too-many' {
    const value = headerOf(request, 'authorization');
    if (value === undefined) return 'unanswered';
    if (this.#login.isSpent(this.#address)) return 'too-many';
    const answer = parseDigestAnswer(value);
    // Another connection's nonce is no guess: players that connect again begin with it.
    if (answer && answer.nonce !== this.#nonce) return 'unanswered';
    if (answer && this.#isRight(request, answer)) return 'granted';
    this.#login.countGuess(this.#address);
    return 'wrong';
  }

  #isRight({ method, uri }: RtspRequest, answer: DigestAnswer): boolean {
    const { user, password } = this.#login.credentials;
    if (answer.realm !== REALM) return false;
    // Some players name the presentation where the request names a track.
    if (answer.uri !== uri && parseRtspUri(answer.uri)?.path !== parseRtspUri(uri)?.path) return false;
    // Both are compared in any case, so that the time does not tell whether the user exists.
    const isUser = equalSecrets(answer.user, user);
    const isResponse = equalSecrets(answer.response, digestResponse(method, answer, { password, hash }));
    if (!isUser || !isResponse) return false;
    if (!answer.protection) return true;
    const count = Number.parseInt(answer.protection.count, 16);
    if (count <= this.#countHighest) return false;
    this.#countHighest = count;
    return true;
  }
}
