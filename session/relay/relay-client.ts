import { DatagramSocket } from '../../io/net/datagram-socket.ts';
import { now } from '../../io/os/clock.ts';
import type { Instant } from '../../protocol/base/instant.ts';
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
  /** Puts a datagram on the wire to the client. */
  readonly answer: (datagram: Uint8Array) => void;
  /** Something has entered or left a link, so that `nextAt` may be earlier than it was. */
  readonly onChange: () => void;
  /** The target, or the operating system, refused a datagram. */
  readonly onError: (error: Error) => void;
}

/** A client of the relay: a socket of its own towards the target, and a link of its own each way. */
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

  /** When something last came from either side. */
  get lastActiveAt(): Instant {
    return this.#lastActiveAt;
  }

  /** When something is due; what waits for the socket to be open is not. */
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

  /** Fails with one line where the target cannot be reached. What is sent meanwhile waits. */
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

  /** A datagram from the client. */
  send(datagram: Uint8Array): void {
    this.#pass(this.forward, datagram);
  }

  /** Delivers what is due. */
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

/** A socket towards the target; fails with one line where there is no way to it. */
export function openUpstream(
  to: SocketAddress,
  events: { readonly onDatagram: (datagram: Uint8Array) => void; readonly onError: (error: Error) => void },
): Promise<DatagramSocket> {
  const host = to.host.includes(':') ? '::' : '0.0.0.0';
  return DatagramSocket.open({ host, port: 0, peer: to, ...events });
}
