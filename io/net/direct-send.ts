import type { Socket } from 'node:dgram';
import { libraryFunction } from '../os/c-library.ts';
import { type Destination, SocketAddresses } from './socket-address.ts';
import { datagramDescriptor } from './socket-options.ts';

type SendTo = (
  fd: number,
  bytes: Uint8Array,
  length: number,
  flags: number,
  address: Uint8Array,
  addressLength: number,
) => number;

/** Constant of sys/socket.h on Linux. */
export const MSG_DONTWAIT = 0x40;

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
  readonly #addresses: SocketAddresses;

  /** @param socket bound, without a peer, and open during every `send`. */
  constructor(socket: Socket, addresses = new SocketAddresses()) {
    this.#fd = this.#call && datagramDescriptor(socket);
    this.#addresses = addresses;
  }

  send(bytes: Uint8Array, to: Destination): boolean {
    if (!this.#call || this.#fd === undefined) return false;
    const address = this.#addresses.of(to);
    if (!address) return false;
    return this.#call(this.#fd, bytes, bytes.length, MSG_DONTWAIT, address, address.length) === bytes.length;
  }
}
