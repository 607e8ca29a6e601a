import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer } from 'node:net';

const HOST = '127.0.0.1';
/** Number of connections: enough to get hot code compiled. */
const CONNECTIONS = 20;
const WRITE_BYTES = 4_000;

/**
 * Opens and closes several loopback connections: the first connection of a process takes milliseconds for compilation
 * and allocation, which would delay the first frames of a measured stream.
 */
export async function warmUpConnections(): Promise<void> {
  const server = createServer((socket) => socket.on('error', () => {}).resume());
  server.listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  for (let count = 0; count < CONNECTIONS; count++) {
    const socket = createConnection({ host: HOST, port, noDelay: true });
    await new Promise<void>((resolve) => socket.write(Buffer.alloc(WRITE_BYTES), () => resolve()));
    socket.end();
    socket.resume();
    await once(socket, 'close');
  }
  server.close();
}
