import { lookup } from 'node:dns/promises';
import { connect, isIP, isIPv6, type Socket } from 'node:net';

const CONNECT_TIMEOUT_MS = 5_000;
/** Time until the next address is tried in parallel (RFC 8305 §5: 250 ms). */
const ATTEMPT_DELAY_MS = 250;

/** A TCP connection, and the address to which it was made. */
export interface Connected {
  readonly socket: Socket;
  readonly address: string;
}

/**
 * Opens a TCP connection to the first address of a host that answers (RFC 8305): the addresses are tried in the
 * resolver's order with the families in turn, each 250 ms after the one before it, or at once when that one fails.
 * Rejects with the first address's error, or after five seconds without an answer.
 */
export async function connectedTo(host: string, port: number): Promise<Connected> {
  return await firstConnected(await addressesOf(host), port);
}

/** Opens a TCP connection to one address. Rejects with the operating system's error, or after five seconds. */
export const connected = async (address: string, port: number): Promise<Socket> =>
  (await firstConnected([address], port)).socket;

/** Returns all addresses of a host, the two families in turn (RFC 8305 §4). */
export async function addressesOf(host: string): Promise<readonly string[]> {
  if (isIP(host) !== 0) return [host];
  const found = await lookup(host, { all: true, order: 'verbatim' });
  return inTurn([...new Set(found.map(({ address }) => address))]);
}

/** Returns addresses with their families in turn, beginning with that of the first one. */
export function inTurn(addresses: readonly string[]): readonly string[] {
  if (addresses.length < 2) return addresses;
  const first = addresses.filter((address) => isIPv6(address) === isIPv6(addresses[0] ?? ''));
  const others = addresses.filter((address) => !first.includes(address));
  const length = Math.max(first.length, others.length);
  return Array.from({ length }, (_, index) => [first[index], others[index]])
    .flat()
    .filter((address) => address !== undefined);
}

function firstConnected(addresses: readonly string[], port: number): Promise<Connected> {
  return new Promise((resolve, reject) => {
    const attempts = new Set<Socket>();
    let next = 0;
    let firstError: Error | undefined;
    let stagger: NodeJS.Timeout | undefined;
    const conclude = (winner?: Socket) => {
      clearTimeout(stagger);
      clearTimeout(limit);
      for (const attempt of attempts) if (attempt !== winner) attempt.destroy();
      attempts.clear();
    };
    const limit = setTimeout(() => {
      conclude();
      reject(firstError ?? new Error('no answer'));
    }, CONNECT_TIMEOUT_MS);
    const tryNext = () => {
      clearTimeout(stagger);
      const address = addresses[next++];
      if (address === undefined) return;
      const socket = connect({ host: address, port, noDelay: true });
      attempts.add(socket);
      const fail = (error: Error) => {
        if (!attempts.delete(socket)) return;
        firstError ??= error;
        if (next < addresses.length) return tryNext();
        if (attempts.size > 0) return;
        conclude();
        reject(firstError);
      };
      socket.on('error', fail);
      socket.once('connect', () => {
        if (!attempts.has(socket)) return;
        conclude(socket);
        socket.off('error', fail);
        resolve({ socket, address });
      });
      if (next < addresses.length) stagger = setTimeout(tryNext, ATTEMPT_DELAY_MS);
    };
    tryNext();
  });
}
