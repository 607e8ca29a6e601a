import type { AccessUnit } from '../../protocol/access-unit.ts';
import type { Instant } from '../../protocol/base/units.ts';
import type { Endpoint } from '../../protocol/endpoint.ts';
import { AccessUnitDeframer, type CarriedStream } from './access-unit-framing.ts';
import { TcpConnection } from './connection.ts';
import type { TcpConnectionOptions } from './tcp-options.ts';

export type TcpMediaReceiverOptions = Omit<TcpConnectionOptions, 'role'>;

export type TcpMediaReceiverEvent =
  | { readonly kind: 'established' }
  /** A complete unit; its last byte was delivered in order at `completeAt`. */
  | {
      readonly kind: 'access-unit';
      readonly stream: CarriedStream;
      /** Counts the units of its stream. */
      readonly frame: number;
      readonly unit: AccessUnit;
      readonly completeAt: Instant;
      readonly bytes: number;
    }
  /** All data has been received. */
  | { readonly kind: 'ended' }
  | { readonly kind: 'failed'; readonly cause: 'reset' | 'timed-out' | 'malformed' };

/** Peer of a `TcpMediaSender`: the passive end; reads data as it arrives. */
export class TcpMediaReceiver implements Endpoint<TcpMediaReceiverEvent> {
  readonly connection: TcpConnection;
  readonly #events: TcpMediaReceiverEvent[] = [];
  readonly #deframer = new AccessUnitDeframer();
  #failed = false;

  constructor(options: TcpMediaReceiverOptions) {
    this.connection = new TcpConnection({ ...options, role: 'passive' });
  }

  handleDatagram(now: Instant, datagram: Uint8Array): void {
    this.connection.handleDatagram(now, datagram);
    this.#read(now);
  }

  handleTimeout(now: Instant): void {
    this.connection.handleTimeout(now);
    this.#read(now);
  }

  pollTransmit(now: Instant): Uint8Array | undefined {
    return this.connection.pollTransmit(now);
  }

  pollEvent(): TcpMediaReceiverEvent | undefined {
    return this.#events.shift();
  }

  pollTimeout(): Instant | undefined {
    return this.connection.pollTimeout();
  }

  #read(now: Instant): void {
    for (let event = this.connection.pollEvent(); event; event = this.connection.pollEvent()) {
      if (this.#failed) continue;
      switch (event.kind) {
        case 'established':
          this.#events.push({ kind: 'established' });
          break;
        case 'data':
          this.#deliver(now, event.bytes);
          break;
        case 'finished':
          this.#events.push({ kind: 'ended' });
          this.connection.finish(now);
          break;
        case 'reset':
        case 'timed-out':
          this.#events.push({ kind: 'failed', cause: event.kind });
          break;
        case 'closed':
        case 'malformed':
          break;
        default:
          event satisfies never;
      }
    }
  }

  #deliver(now: Instant, bytes: Uint8Array): void {
    const units = this.#deframer.push(bytes);
    if (units === 'malformed') {
      this.#failed = true;
      this.#events.push({ kind: 'failed', cause: 'malformed' });
      this.connection.abort();
      return;
    }
    for (const unit of units) this.#events.push({ kind: 'access-unit', completeAt: now, ...unit });
  }
}
