import type { IncomingMessage } from 'node:http';
import { SecretToken } from '../../io/crypto/secret-token.ts';
import { isLoopbackHost } from '../../io/net/host-address.ts';
import { NetworkBudgets } from '../../io/net/networks.ts';

/** Wrong tokens of a network: at once, and per second after that. */
const GUESSES_BURST = 20;
const GUESSES_PER_SECOND = 0.1;

export interface WhepAccessOptions {
  /** Token that players must bring (RFC 6750); `undefined`: none. */
  readonly token: string | undefined;
  /** True when only this machine can connect. */
  readonly isLocal: boolean;
}

/** Decides who may use a WHEP server: by token, or by the origin of the page where there is none. */
export class WhepAccess {
  readonly #token: SecretToken | undefined;
  readonly #isLocal: boolean;
  readonly #guesses = new NetworkBudgets({ perSecond: GUESSES_PER_SECOND, burst: GUESSES_BURST });

  constructor({ token, isLocal }: WhepAccessOptions) {
    this.#token = token === undefined ? undefined : new SecretToken(token);
    this.#isLocal = isLocal;
  }

  /**
   * False for a foreign name that resolves to this machine (DNS rebinding): a server for this machine alone is called by its
   * own names.
   */
  isHost({ headers: { host = '' } }: IncomingMessage): boolean {
    return this.#token !== undefined || !this.#isLocal || isLoopbackHost(host);
  }

  /**
   * Returns the value of Access-Control-Allow-Origin for a page of another origin: with a token any, otherwise those on this
   * machine, since a browser would let any site watch. `undefined`: not allowed.
   */
  allowedOrigin({ headers: { origin, host } }: IncomingMessage): string | undefined {
    if (this.#token) return '*';
    const name = /^https?:\/\/(.+)$/i.exec(origin ?? '')?.[1];
    return name !== undefined && (isLoopbackHost(name) || name === host) ? origin : undefined;
  }

  /** `granted`, or why not: without a token, with a wrong one, or with too many of those. */
  check(
    { headers: { authorization } }: IncomingMessage,
    address: string,
  ): 'granted' | 'missing' | 'wrong' | 'too-many' {
    if (!this.#token) return 'granted';
    const given = /^Bearer +(\S{1,1024})$/i.exec(authorization ?? '')?.[1];
    if (given === undefined) return 'missing';
    if (this.#guesses.isSpent(address)) return 'too-many';
    if (this.#token.matches(given)) return 'granted';
    this.#guesses.allows(address);
    return 'wrong';
  }
}
