import { DatagramSocket } from '../../io/net/datagram-socket.ts';
import { anyAddressLike } from '../../io/net/host-address.ts';
import { now } from '../../io/os/clock.ts';
import type { Instant } from '../../protocol/base/units.ts';
import { RelayDirection, type RelayDirectionOptions } from './relay-direction.ts';

export interface SocketAddress {
  readonly host: string;
  readonly port: number;
}

export interface RelayClientOptions {
  readonly address: SocketAddress;
  readonly to: SocketAddress;
  readonly forward: Pick<RelayDirectionOptions, 'link' | 'budget' | 'lateness'>;
  readonly back: Pick<RelayDirectionOptions, 'link' | 'budget' | 'lateness'>;
  /** Sends a datagram to the client. */
  readonly answer: (datagram: Uint8Array) => void;
  /** Called after a datagram has entered or left a link, since `nextAt` may have changed. */
  readonly onChange: () => void;
  /** Called when the target or the operating system has refused a datagram. */
  readonly onError: (error: Error) => void;
}

/** A client of the relay: its own socket towards the target, and its own link in each direction. */
export class RelayClient {
  readonly address: SocketAddress;
  readonly forward: RelayDirection;
  readonly back: RelayDirection;
  readonly #options: RelayClientOptions;
  #upstream: DatagramSocket | undefined;
  #lastActiveAt: Instant = now();
  #closed = false;

  constructor(options: RelayClientOptions) {
    this.#options = options;
    this.address = options.address;
    this.forward = new RelayDirection({
      ...options.forward,
      direction: 'forward',
      deliver: (datagram) => this.#upstream?.send([datagram]),
    });
    this.back = new RelayDirection({ ...options.back, direction: 'back', deliver: options.answer });
  }

  /** Time of the last datagram from either side. */
  get lastActiveAt(): Instant {
    return this.#lastActiveAt;
  }

  /** Time of the next delivery; deliveries to a socket that is not open yet do not count. */
  get nextAt(): Instant | undefined {
    const forward = this.#upstream && this.forward.nextAt;
    const back = this.back.nextAt;
    return forward === undefined || (back !== undefined && back < forward) ? back : forward;
  }

  get sendErrors(): number {
    return this.#upstream?.sendErrors ?? 0;
  }

  get receiveDrops(): number | undefined {
    return this.#upstream?.receiveDrops;
  }

  /** Opens the socket. Datagrams sent meanwhile wait. @throws {Failure} when the target cannot be reached. */
  async open(): Promise<void> {
    const upstream = await openUpstream(this.#options.to, {
      onDatagram: (datagram) => this.#pass(this.back, datagram),
      onError: this.#options.onError,
    });
    if (this.#closed) return upstream.close();
    this.#upstream = upstream;
    this.flush();
    this.#options.onChange();
  }

  /** Passes on a datagram from the client. */
  send(datagram: Uint8Array): void {
    this.#pass(this.forward, datagram);
  }

  /** Delivers all datagrams that are due. */
  flush(): void {
    if (this.#closed) return;
    if (this.#upstream) this.forward.flush();
    this.back.flush();
  }

  close(): void {
    this.#closed = true;
    this.#upstream?.close();
    this.forward.close();
    this.back.close();
  }

  #pass(direction: RelayDirection, datagram: Uint8Array): void {
    if (this.#closed) return;
    this.#lastActiveAt = now();
    direction.send(this.#lastActiveAt, datagram);
    this.flush();
    this.#options.onChange();
  }
}

/** Opens a socket towards the target. @throws {Failure} when there is no route to it. */
export function openUpstream(
  to: SocketAddress,
  events: { readonly onDatagram: (datagram: Uint8Array) => void; readonly onError: (error: Error) => void },
): Promise<DatagramSocket> {
  return DatagramSocket.open({ host: anyAddressLike(to.host), port: 0, peer: to, ...events });
}
