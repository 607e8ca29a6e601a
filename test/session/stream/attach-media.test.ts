import { createServer, type Socket } from 'node:net';
import { onTestFinished, test } from 'vitest';
import { ConnectionTransport } from '../../../session/stream/connection-transport.ts';
import type { MediaTransportOptions } from '../../../session/stream/media-transport.ts';
import { ModeledTransport } from '../../../session/stream/modeled-transport.ts';
import { parseLink } from '../../../sim/link/link-parse.ts';
import { until } from '../../io/net/control-peers.ts';

/** A control port that reads `attach` and waits. */
async function sender() {
  const connections: Socket[] = [];
  const read: Buffer[] = [];
  let open = 0;
  const server = createServer((socket) => {
    open++;
    connections.push(socket);
    socket.on('error', () => {});
    socket.on('data', (bytes) => read.push(bytes));
    socket.on('close', () => open--);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of connections) socket.destroy();
    server.close();
  });
  return { port: (server.address() as { port: number }).port, read, openConnections: () => open };
}

const transports = {
  "the kernel's TCP": (options: MediaTransportOptions) => new ConnectionTransport(options),
  'modelled TCP': (options: MediaTransportOptions) =>
    new ModeledTransport({ ...options, link: parseLink('delay=10ms'), congestionControl: 'cubic' }),
};

const options = (port: number): MediaTransportOptions =>
  ({
    ...{ host: '127.0.0.1', port, channel: undefined, early: undefined },
    welcome: { session: '0123456789abcdef', key: '0123456789abcdef0123456789abcdef' },
    onPacket: () => {},
    onLost: () => {
      throw new Error('it was closed by this end');
    },
  }) as unknown as MediaTransportOptions;

test.each(Object.entries(transports))(
  'a session that ends while its media connection waits closes it: %s',
  async (_, make) => {
    const { port, read, openConnections } = await sender();
    const transport = make(options(port));
    const opened = transport.open();
    await until('attach is sent', () => read.length > 0);
    transport.close();
    await opened;
    await until('it is closed', () => openConnections() === 0);
  },
);
