import type { Socket } from 'node:net';
import { connectedTo } from '../../io/net/connect.ts';
import { connectSecure, type SecureChannel, UntrustedSender } from '../../io/net/secure-channel.ts';
import type { SenderMessage } from '../../protocol/control/control-message.ts';
import { PassphraseProof } from './passphrase.ts';

/** Authentication of a sender; without either, the stream is not encrypted. */
export interface SenderProof {
  /** SHA-256 of the sender's certificate, 64 hexadecimal digits, lower case. */
  readonly fingerprint?: string | undefined;
  /** Passphrase shared by both ends. */
  readonly passphrase?: string | undefined;
}

/** A control connection to a sender. */
export interface SenderConnection {
  readonly socket: Socket;
  /** Address of the sender. */
  readonly address: string;
  /** `undefined` when the connection is not encrypted. */
  readonly channel: SecureChannel | undefined;
  /** `undefined` without a passphrase. */
  readonly passphrase: PassphraseProof | undefined;
}

/**
 * Connects to a sender, with TLS when it must be authenticated.
 * @param onAddress called with the sender's address once it is known, before TLS.
 * @throws {UntrustedSender} when it cannot.
 */
export async function connectToSender(
  { host, port }: { readonly host: string; readonly port: number },
  { fingerprint, passphrase }: SenderProof,
  onAddress?: (address: string) => void,
): Promise<SenderConnection> {
  const { socket, address } = await connectedTo(host, port);
  onAddress?.(address);
  if (fingerprint === undefined && passphrase === undefined) {
    return { socket, address, channel: undefined, passphrase: undefined };
  }
  const channel = await connectSecure(socket, fingerprint);
  const proof = passphrase === undefined ? undefined : new PassphraseProof(channel, passphrase);
  return { socket: channel.socket, address, channel, passphrase: proof };
}

/**
 * Returns a message of the sender, a sealed welcome opened.
 * @throws {UntrustedSender} when it does not know the passphrase, or welcomes without it.
 */
export function provenMessage(message: SenderMessage, passphrase: PassphraseProof | undefined): SenderMessage {
  if (!passphrase || (message.kind !== 'welcome' && message.kind !== 'sealed-welcome')) return message;
  const welcome = message.kind === 'sealed-welcome' ? passphrase.open(message) : undefined;
  if (!welcome) throw new UntrustedSender('passphrase');
  return welcome;
}
