import type { HostAndPort } from '../io/net/host-and-port.ts';
import { causeOf } from '../io/os/failure.ts';
import type { Log } from '../io/os/log.ts';

const LOOPBACK = '127.0.0.1';

interface PlayerServer {
  listen(): Promise<void>;
}

/** Opens a server for players. @throws {Failure} when the address is not available. */
export async function opened<Server extends PlayerServer>(server: Server): Promise<Server> {
  await server.listen();
  return server;
}

/**
 * Opens a server for players that nobody has asked for: on loopback, at its usual port or at a free one. `undefined`, after
 * a warning, where neither can be opened.
 */
export async function openedUnasked<Server extends PlayerServer>(
  serverAt: (address: HostAndPort) => Server,
  { port, protocol, log }: { readonly port: number; readonly protocol: string; readonly log: Log },
): Promise<Server | undefined> {
  try {
    return await opened(serverAt({ host: LOOPBACK, port }));
  } catch {
    return await opened(serverAt({ host: LOOPBACK, port: 0 })).catch((error: unknown) => {
      log.warn(`not served by ${protocol}: ${causeOf(error)}`);
      return undefined;
    });
  }
}
