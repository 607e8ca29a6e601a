import type { ControlConnection } from '../../io/net/control-connection.ts';
import { NetworkBudgets } from '../../io/net/networks.ts';
import type { SecureChannel } from '../../io/net/secure-channel.ts';
import type { ReceiverMessage, SealedWelcomeMessage, WelcomeMessage } from '../../protocol/control/control-message.ts';
import { sealWelcome } from './passphrase.ts';

type Connection = ControlConnection<ReceiverMessage>;

/** Guesses of a network: a burst for typing errors, then one per ten seconds, 8,640 per day. */
const GUESSES_BURST = 20;
const GUESSES_PER_SECOND = 0.1;

/** A sender's passphrase. A receiver without it gets no session, and few guesses. */
export class PassphraseGate {
  readonly #passphrase: string;
  readonly #shares = new WeakMap<Connection, string>();
  readonly #guesses = new NetworkBudgets({ perSecond: GUESSES_PER_SECOND, burst: GUESSES_BURST });

  constructor(passphrase: string) {
    this.#passphrase = passphrase;
  }

  /** Counts a guess from this address. Returns false when its network has had too many. */
  allows(address: string): boolean {
    return this.#guesses.allows(address);
  }

  /** A receiver has proved the passphrase: the guess does not count. */
  passed(address: string): void {
    this.#guesses.restore(address);
  }

  /** Keeps a receiver's share until its hello. */
  take(connection: Connection, share: string): void {
    this.#shares.set(connection, share);
  }

  /** True while this connection has not sent its share. */
  awaits(connection: Connection): boolean {
    return !this.#shares.has(connection);
  }

  /** Returns the welcome, readable only with the passphrase; `undefined` for an invalid share. */
  seal(connection: Connection, channel: SecureChannel, welcome: WelcomeMessage): SealedWelcomeMessage | undefined {
    return sealWelcome(channel, this.#passphrase, { share: this.#shares.get(connection) ?? '', welcome });
  }
}

/** Reasons to refuse a receiver. */
export const NEEDS_FINGERPRINT =
  'this stream is encrypted: use the URL that its sender prints, dropframe://HOST:PORT?fingerprint=…';
export const NEEDS_PASSPHRASE =
  'this stream needs its passphrase: --passphrase-file FILE, or DROPFRAME_PASSPHRASE in the environment';
export const NO_PASSPHRASE = 'this sender has no passphrase: use the URL that it prints, with its fingerprint';
export const NOT_ENCRYPTED = 'this stream is not encrypted';
export const TOO_MANY_GUESSES = 'too many failed attempts: retry in a few minutes';
