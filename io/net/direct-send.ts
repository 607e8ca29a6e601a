import type { Socket } from 'node:dgram';
import { isIPv4 } from 'node:net';
import { libraryFunction } from '../os/c-library.ts';
import { datagramDescriptor } from './socket-options.ts';

export interface Destination {
  readonly host: string;
  readonly port: number;
}

type SendTo = (
  fd: number,
  bytes: Uint8Array,
  length: number,
  flags: number,
  address: Uint8Array,
  addressLength: number,
) => number;

/** Constants of sys/socket.h on Linux. */
const AF_INET = 2;
const MSG_DONTWAIT = 0x40;
const SOCKET_ADDRESS_BYTES = 16;
/** Limit of cached addresses, above the number of receivers of any sender; beyond it the cache is cleared. */
const DESTINATIONS_MAX = 1_024;

/** Binds sendto(2). */
const sendTo = (): SendTo | undefined =>
  libraryFunction('long sendto(int fd, const void *bytes, size_t length, int flags, const void *address, uint32 size)');

/**
 * Sends from a bound IPv4 socket with one system call. Node's path through its resolver, a request object and a
 * callback takes longer than the kernel. `send` returns false when the datagram was not sent and Node should try.
 */
export class DirectSend {
  readonly #call: SendTo | undefined = sendTo();
  readonly #fd: number | undefined;
  readonly #addresses = new Map<string, Uint8Array | undefined>();

  /** @param socket bound, without a peer, and open during every `send`. */
  constructor(socket: Socket) {
    this.#fd = this.#call && datagramDescriptor(socket);
  }

  send(bytes: Uint8Array, to: Destination): boolean {
    if (!this.#call || this.#fd === undefined) return false;
    const address = this.#addressOf(to);
    if (!address) return false;
    return this.#call(this.#fd, bytes, bytes.length, MSG_DONTWAIT, address, address.length) === bytes.length;
  }

  #addressOf(to: Destination): Uint8Array | undefined {
    const name = `${to.host}:${to.port}`;
    if (this.#addresses.has(name)) return this.#addresses.get(name);
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
