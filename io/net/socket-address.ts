import { isIPv4 } from 'node:net';

export interface Destination {
  readonly host: string;
  readonly port: number;
}

/** AF_INET of sys/socket.h on Linux. */
const AF_INET = 2;
export const SOCKET_ADDRESS_BYTES = 16;
/** Limit of cached addresses, above the number of receivers of any sender; beyond it the cache is cleared. */
const DESTINATIONS_MAX = 16_384;

/** Socket addresses of the destinations of an IPv4 socket, made once for each. */
export class SocketAddresses {
  readonly #addresses = new Map<string, Uint8Array | undefined>();

  /** Returns a struct sockaddr_in; `undefined` for a host that is not an IPv4 address. */
  of(to: Destination): Uint8Array | undefined {
    const name = `${to.host}:${to.port}`;
    const known = this.#addresses.get(name);
    if (known || this.#addresses.has(name)) return known;
    if (this.#addresses.size >= DESTINATIONS_MAX) this.#addresses.clear();
    const address = isIPv4(to.host) ? socketAddress(to) : undefined;
    this.#addresses.set(name, address);
    return address;
  }
}

/**
 * Builds a struct sockaddr_in: family in host byte order, port and address in network byte order.
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |            family             |             port              |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |                            address                            |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |                      zero, eight bytes ...                    |
 */
function socketAddress({ host, port }: Destination): Uint8Array {
  const address = new Uint8Array(SOCKET_ADDRESS_BYTES);
  new Uint16Array(address.buffer)[0] = AF_INET;
  address[2] = port >> 8;
  address[3] = port & 0xff;
  address.set(host.split('.').map(Number), 4);
  return address;
}
