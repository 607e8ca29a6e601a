import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { cpaceCipher } from '../../io/crypto/cpace-cipher.ts';
import { equalSecrets } from '../../io/crypto/secret-token.ts';
import type { SecureChannel } from '../../io/net/secure-channel.ts';
import { base64Bytes, base64Text, hexBytes, hexText, utf8Bytes } from '../../protocol/base/text-codec.ts';
import {
  parseSenderMessage,
  type SealedWelcomeMessage,
  serializeControlMessage,
  type WelcomeMessage,
} from '../../protocol/control/control-message.ts';
import { CpaceExchange } from '../../protocol/control/cpace.ts';

/**
 * Proof of a shared passphrase on a TLS connection with an unverified certificate: CPace, bound to that connection by
 * its exporter, so that a man in the middle gets one guess and nothing else. The sender's `welcome` is encrypted under
 * the resulting key, which saves a round trip: only a receiver that knows the passphrase can read it, and with it the
 * session's key, without which it can neither prove an address nor attach a media connection.
 */
const EXPORTER_LABEL = 'EXPERIMENTAL-dropframe-cpace';
const NOTHING = new Uint8Array(0);
/** Each key encrypts one message. */
const NONCE = Buffer.alloc(12);
const TAG_BYTES = 16;

const newExchange = (channel: SecureChannel, passphrase: string): CpaceExchange =>
  new CpaceExchange(cpaceCipher, { passphrase, session: channel.exported(EXPORTER_LABEL, NOTHING) }, randomBytes(32));

/** Keys of an exchange: one for the proof that the sender has it too, one for its welcome. */
const keysOf = (key: Uint8Array) => ({
  confirmation: createHmac('sha256', key).update('dropframe confirmation').digest(),
  welcome: createHmac('sha256', key).update('dropframe welcome').digest().subarray(0, 16),
});

/** Sender's side: returns the answer to a receiver's share, or `undefined` when it is not one. */
export function sealWelcome(
  channel: SecureChannel,
  passphrase: string,
  { share, welcome }: { readonly share: string; readonly welcome: WelcomeMessage },
): SealedWelcomeMessage | undefined {
  const exchange = newExchange(channel, passphrase);
  const key = exchange.key('responder', hexBytes(share) ?? NOTHING);
  if (!key) return undefined;
  const keys = keysOf(key);
  const cipher = createCipheriv('aes-128-gcm', keys.welcome, NONCE);
  const sealed = [cipher.update(serializeControlMessage(welcome), 'utf8'), cipher.final(), cipher.getAuthTag()];
  return {
    kind: 'sealed-welcome',
    share: hexText(exchange.share),
    confirmation: keys.confirmation.toString('hex'),
    sealed: base64Text(Buffer.concat(sealed)),
  };
}

/** Receiver's side of one connection. */
export class PassphraseProof {
  readonly #exchange: CpaceExchange;

  constructor(channel: SecureChannel, passphrase: string) {
    this.#exchange = newExchange(channel, passphrase);
  }

  /** Share for the sender, as text. */
  get share(): string {
    return hexText(this.#exchange.share);
  }

  /** Opens the sender's answer; `undefined` when the sender does not know the passphrase. */
  open(answer: SealedWelcomeMessage): WelcomeMessage | undefined {
    const key = this.#exchange.key('initiator', hexBytes(answer.share) ?? NOTHING);
    if (!key) return undefined;
    const keys = keysOf(key);
    if (!equalSecrets(answer.confirmation, hexText(keys.confirmation))) return undefined;
    const sealed = Buffer.from(base64Bytes(answer.sealed) ?? NOTHING);
    if (sealed.length < TAG_BYTES) return undefined;
    const decipher = createDecipheriv('aes-128-gcm', keys.welcome, NONCE, { authTagLength: TAG_BYTES });
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
    let text: string;
    try {
      text = decipher.update(sealed.subarray(0, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
    } catch {
      return undefined;
    }
    const message = parseSenderMessage(text);
    return message.ok && message.value.kind === 'welcome' ? message.value : undefined;
  }
}

/** Characters of a passphrase, at least: a sender takes a few guesses a minute from a network. */
export const PASSPHRASE_CHARACTERS_MIN = 8;

/** Bytes of a passphrase, at most. */
export const PASSPHRASE_BYTES_MAX = 1_024;

/** True when a passphrase has a length that is accepted. */
export const isPassphrase = (text: string): boolean =>
  text.length >= PASSPHRASE_CHARACTERS_MIN && utf8Bytes(text).length <= PASSPHRASE_BYTES_MAX;
