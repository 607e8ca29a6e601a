import type { Socket } from 'node:net';
import { connected } from '../../io/net/connect.ts';
import type { HostAndPort } from '../../io/net/host-and-port.ts';
import { connectSecure, type SecureChannel } from '../../io/net/secure-channel.ts';

/** A connection for media: its socket, and the TLS on it. */
export interface OpenedConnection {
  readonly socket: Socket;
  readonly channel: SecureChannel | undefined;
}

/**
 * A media connection that is opened while the control connection agrees on the session, which saves the round trips of TCP and
 * TLS. Nothing is written on it but the handshake until the sender has been authenticated on the control connection.
 */
export class EarlyConnection {
  readonly #opened: Promise<OpenedConnection | undefined>;
  #isTaken = false;

  /** @param isSecure true for TLS. @param fingerprint that the certificate must have; `undefined`: compared when it is used. */
  constructor(
    { host, port }: HostAndPort,
    { isSecure, fingerprint }: { isSecure: boolean; fingerprint?: string | undefined },
  ) {
    // A failure here is repeated when the connection is needed, and reported then.
    this.#opened = openConnection({ host, port }, isSecure ? { fingerprint } : undefined).catch(() => undefined);
    // An error of a socket that waits is followed by its end.
    void this.#opened.then((made) => made?.socket.on('error', () => {}));
  }

  /** Hands the connection over; `undefined` when it failed, has closed or was taken. */
  async take(): Promise<OpenedConnection | undefined> {
    if (this.#isTaken) return undefined;
    this.#isTaken = true;
    const made = await this.#opened;
    return made?.socket.destroyed || made?.socket.readableEnded ? undefined : made;
  }

  /** Closes the connection unless it was taken. */
  close(): void {
    if (this.#isTaken) return;
    this.#isTaken = true;
    void this.#opened.then((made) => made?.socket.destroy());
  }
}

/** Opens a connection for media. @param secure fingerprint of the certificate, for TLS; `undefined`: no TLS. */
export async function openConnection(
  { host, port }: HostAndPort,
  secure: { readonly fingerprint: string | undefined } | undefined,
): Promise<OpenedConnection> {
  const plain = await connected(host, port);
  if (!secure) return { socket: plain, channel: undefined };
  const channel = await connectSecure(plain, secure.fingerprint);
  return { socket: channel.socket, channel };
}
