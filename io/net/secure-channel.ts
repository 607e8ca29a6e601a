import { constants, X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import type { SecureContext, TLSSocket } from 'node:tls';
import { fingerprintOf, type Identity } from '../crypto/identity.ts';
import { Failure } from '../os/failure.ts';

/** TLS 1.3 on a TCP connection. */
export interface SecureChannel {
  readonly socket: Socket;
  /** Fingerprint of the sender's certificate; the sender has proved possession of its key. */
  readonly fingerprint: string;
  /** Returns 32 bytes that only the two ends of this connection know (RFC 5705; RFC 8446 §7.5). */
  exported(label: string, context: Uint8Array): Uint8Array;
}

/** Inputs of a TLS server. */
export interface SecureSide {
  readonly context: SecureContext;
  /** Fingerprint of the certificate. */
  readonly fingerprint: string;
  /** True for clients that are not ours, which name no application protocol; default: they must name that of dropframe. */
  readonly anyProtocol?: boolean;
}

/**
 * Application protocol of the control channel (RFC 7301): nothing else answers to it, so a connection cannot be passed
 * on to another service. It also implies SRTP with AEAD_AES_128_GCM and Cryptex.
 */
const PROTOCOL = 'dropframe/1';
const SECRET_BYTES = 32;
/** Time for a handshake at the receiver, milliseconds, as for a connection. */
const HANDSHAKE_TIMEOUT_MS = 5_000;
/** First byte of a TLS connection: a handshake record (RFC 8446 §5.1). */
const HANDSHAKE_RECORD = 0x16;

/** Loaded by the first encrypted connection: it takes a tenth of the time in which a receiver starts. */
const tls = () => process.getBuiltinModule('node:tls');

export const isTlsClient = (firstBytes: Uint8Array): boolean => firstBytes[0] === HANDSHAKE_RECORD;

/** Prepares an identity for connections. Sessions are not resumed: every connection has keys of its own. */
export const secureContext = ({ certificate, key }: Identity): SecureContext =>
  tls().createSecureContext({
    cert: certificate,
    key,
    minVersion: 'TLSv1.3',
    secureOptions: constants.SSL_OP_NO_TICKET,
  });

/**
 * Sender's side: starts TLS on a connection whose first bytes are in its buffer.
 * @param onSecure called when the handshake is complete; before that, the connection may fail, which closes it.
 */
export function acceptSecure(
  socket: Socket,
  { context, fingerprint, anyProtocol = false }: SecureSide,
  onSecure: (channel: SecureChannel) => void,
): Socket {
  const ALPNProtocols = anyProtocol ? undefined : [PROTOCOL];
  const own = { isServer: true, secureContext: context, ...(ALPNProtocols && { ALPNProtocols }) };
  const secured = new (tls().TLSSocket)(socket, own);
  secured.once('secure', () => {
    // A client that names no protocol is none of ours; one that names others was refused in the handshake.
    if (anyProtocol || secured.alpnProtocol === PROTOCOL) onSecure(channelOf(secured, fingerprint));
    else secured.destroy();
  });
  return secured;
}

/**
 * Receiver's side: starts TLS on an open connection.
 *
 * @param fingerprint of the certificate that the sender must have; `undefined` when it proves itself otherwise.
 * @throws {UntrustedSender} when the sender has another certificate, or does not speak TLS.
 */
export async function connectSecure(socket: Socket, fingerprint: string | undefined): Promise<SecureChannel> {
  return await new Promise<SecureChannel>((resolve, reject) => {
    const secured = tls().connect({
      socket,
      minVersion: 'TLSv1.3',
      ALPNProtocols: [PROTOCOL],
      // The certificate is compared with its fingerprint instead of being traced to an authority.
      rejectUnauthorized: false,
    });
    const conclude = (error: Error) => {
      clearTimeout(limit);
      secured.destroy();
      reject(error);
    };
    const limit = setTimeout(() => conclude(new Error('no answer to the TLS handshake')), HANDSHAKE_TIMEOUT_MS);
    const fail = (error: Error) => conclude(handshakeError(error));
    const end = () => conclude(new Error('the connection closed in the TLS handshake'));
    secured.on('error', fail);
    secured.once('close', end);
    secured.once('secureConnect', () => {
      const offered = fingerprintOf(peerCertificate(secured));
      if (fingerprint !== undefined && offered !== fingerprint) return conclude(new UntrustedSender('fingerprint'));
      if (secured.alpnProtocol !== PROTOCOL) return conclude(new UntrustedSender('protocol'));
      clearTimeout(limit);
      secured.off('close', end);
      secured.off('error', fail);
      resolve(channelOf(secured, offered));
    });
  });
}

/** The other end is not the expected sender, or cannot prove that it is. */
export class UntrustedSender extends Failure {
  readonly reason: UntrustedReason;

  constructor(reason: UntrustedReason) {
    super(UNTRUSTED[reason]);
    this.reason = reason;
  }
}

type UntrustedReason = keyof typeof UNTRUSTED;

const UNTRUSTED = {
  fingerprint:
    'its certificate is not the one whose fingerprint was given: the sender was restarted with a new certificate (use ' +
    'the URL that it prints now; --certificate keeps one), or this is a man-in-the-middle attack',
  protocol: 'it speaks TLS, but is not a dropframe sender',
  plain:
    'it answers without encryption, though a fingerprint or a passphrase was given: it was started with --insecure or on ' +
    'loopback, or is an older release, or this is a man-in-the-middle attack',
  passphrase: 'it does not have this passphrase, or this is a man-in-the-middle attack',
} as const;

/** Codes of OpenSSL for an answer that is not TLS 1.3. */
const NOT_TLS: ReadonlySet<string> = new Set([
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
  'ERR_SSL_HTTP_REQUEST',
  'ERR_SSL_UNSUPPORTED_PROTOCOL',
  'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
]);
const NO_COMMON_PROTOCOL = 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL';

function handshakeError(error: Error): Error {
  const { code = '' } = error as NodeJS.ErrnoException;
  if (NOT_TLS.has(code)) return new UntrustedSender('plain');
  if (code === NO_COMMON_PROTOCOL) return new UntrustedSender('protocol');
  if (code === 'ECONNRESET') {
    return new Error('it closed the connection in the TLS handshake; a sender without encryption does so');
  }
  return error;
}

const peerCertificate = (socket: TLSSocket): Uint8Array => {
  const certificate = socket.getPeerX509Certificate();
  return certificate instanceof X509Certificate ? certificate.raw : new Uint8Array(0);
};

const channelOf = (socket: TLSSocket, fingerprint: string): SecureChannel => ({
  socket,
  fingerprint,
  exported: (label, context) => socket.exportKeyingMaterial(SECRET_BYTES, label, Buffer.from(context)),
});
