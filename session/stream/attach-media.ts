import type { Socket } from 'node:net';
import { ControlConnection } from '../../io/net/control-connection.ts';
import { UntrustedSender } from '../../io/net/secure-channel.ts';
import { Failure } from '../../io/os/failure.ts';
import { parseSenderMessage, type SenderMessage } from '../../protocol/control/control-message.ts';
import { openConnection } from './early-connection.ts';
import type { MediaTransportOptions } from './media-transport.ts';

/** Null packet of RFC 4571: shows the sender that this end reads. */
export const NULL_PACKET = new Uint8Array(2);

/**
 * Opens a session's second connection to the control port: `attach`, `attached`, and RFC 4571 from then on, once the
 * null packet is written.
 *
 * @param ended aborted when the session ends, which closes the connection.
 * @returns the connection, or `undefined` when the session has ended.
 */
export async function attachMedia(
  {
    host,
    port,
    welcome,
    channel,
    early,
  }: Pick<MediaTransportOptions, 'host' | 'port' | 'welcome' | 'channel' | 'early'>,
  ended: AbortSignal,
): Promise<Socket | undefined> {
  const made = (await early?.take()) ?? (await openConnection({ host, port }, channel));
  const { socket } = made;
  if (ended.aborted) {
    socket.destroy();
    return undefined;
  }
  // The sender must be the one authenticated on the control connection.
  if (made.channel?.fingerprint !== channel?.fingerprint) {
    socket.destroy();
    throw new UntrustedSender('fingerprint');
  }
  return await new Promise<Socket | undefined>((resolve, reject) => {
    const connection = new ControlConnection<SenderMessage>({
      socket,
      parse: parseSenderMessage,
      onMessage: (message) => {
        if (message.kind !== 'attached') return connection.cut(`the sender answered attach with ${message.kind}`);
        ended.removeEventListener('abort', cut);
        resolve(connection.detach());
      },
      onClose: (cause) => {
        if (ended.aborted) resolve(undefined);
        else reject(new Failure(`the sender refused the media connection: ${cause ?? 'it closed the connection'}`));
      },
    });
    const cut = (): void => connection.cut('the session has ended');
    ended.addEventListener('abort', cut);
    connection.send({ kind: 'attach', session: welcome.session, key: welcome.key });
  });
}
