import type { Socket } from 'node:net';
import { connected } from '../../io/net/connect.ts';
import { ControlConnection } from '../../io/net/control-connection.ts';
import { connectSecure } from '../../io/net/secure-channel.ts';
import { Failure } from '../../io/os/failure.ts';
import { parseSenderMessage, type SenderMessage } from '../../protocol/control/control-message.ts';
import type { MediaTransportOptions } from './media-transport.ts';

/** Null packet of RFC 4571: shows the sender that this end reads. */
export const NULL_PACKET = new Uint8Array(2);

/**
 * Opens a session's second connection to the control port: `attach`, `attached`, and RFC 4571 from then on, once the
 * null packet is written.
 *
 * @param isClosed called once the connection is open, as the session may have ended meanwhile.
 * @returns the connection, or `undefined` when the session has ended.
 */
export async function attachMedia(
  { host, port, welcome, channel }: Pick<MediaTransportOptions, 'host' | 'port' | 'welcome' | 'channel'>,
  isClosed: () => boolean,
): Promise<Socket | undefined> {
  const plain = await connected(host, port);
  // The sender must be the one authenticated on the control connection.
  const socket = channel ? (await connectSecure(plain, channel.fingerprint)).socket : plain;
  if (isClosed()) {
    socket.destroy();
    return undefined;
  }
  return await new Promise<Socket>((resolve, reject) => {
    const connection = new ControlConnection<SenderMessage>({
      socket,
      parse: parseSenderMessage,
      onMessage: (message) => {
        if (message.kind === 'attached') resolve(connection.detach());
        else connection.cut(`the sender answered attach with ${message.kind}`);
      },
      onClose: (cause) =>
        reject(new Failure(`the sender refused the media connection: ${cause ?? 'it closed the connection'}`)),
    });
    connection.send({ kind: 'attach', session: welcome.session, key: welcome.key });
  });
}
