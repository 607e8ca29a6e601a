import type { AccessUnit } from '../../protocol/access-unit.ts';
import { type Instant, instant, type Microseconds } from '../../protocol/base/units.ts';
import type { Endpoint } from '../../protocol/endpoint.ts';
import { type CarriedStream, frameAccessUnit } from './access-unit-framing.ts';
import { TcpConnection } from './connection.ts';
import type { TcpConnectionOptions } from './tcp-options.ts';

export interface TcpMediaSenderOptions extends Omit<TcpConnectionOptions, 'role'> {
  /** Start of the handshake. */
  readonly openAt: Instant;
  /**
   * A unit is written only while the connection holds fewer unsent bytes than this (`tcp_notsent_lowat`); otherwise it
   * waits in the application. `undefined`: units are written at once, as most programs do.
   */
  readonly unsentBytesMax?: number;
  /**
   * Longest wait in the application, microseconds. An older unit is discarded, a picture together with all pictures up
   * to the next key frame. `undefined`: units are never discarded. Needs `unsentBytesMax`, because written data cannot
   * be withdrawn.
   */
  readonly waitMax?: Microseconds;
}

/** A unit of a stream, whose units `frame` counts. `handedAt`: when the source provided it. */
interface HandedUnit {
  readonly stream: CarriedStream;
  readonly frame: number;
  readonly handedAt: Instant;
}

export type TcpMediaSenderEvent =
  | { readonly kind: 'established' }
  | (HandedUnit & { readonly kind: 'written'; readonly bytes: number })
  | (HandedUnit & { readonly kind: 'given-up' })
  | { readonly kind: 'closed' }
  | { readonly kind: 'failed'; readonly cause: 'reset' | 'timed-out' };

interface WaitingUnit extends HandedUnit {
  readonly unit: AccessUnit;
}

/**
 * Sends access units, of pictures and of their sound, over a modelled TCP connection, one write per unit. The active
 * end.
 */
export class TcpMediaSender implements Endpoint<TcpMediaSenderEvent> {
  readonly connection: TcpConnection;
  readonly #options: TcpMediaSenderOptions;
  readonly #events: TcpMediaSenderEvent[] = [];
  readonly #waiting: WaitingUnit[] = [];
  readonly #frames: Record<CarriedStream, number> = { video: 0, sound: 0 };
  #opened = false;
  #finishRequested = false;
  #skipsToKey = false;
  #now: Instant = instant(0);

  constructor(options: TcpMediaSenderOptions) {
    this.#options = options;
    this.connection = new TcpConnection({ ...options, role: 'active' });
  }

  send(now: Instant, unit: AccessUnit, stream: CarriedStream = 'video'): void {
    this.#waiting.push({ stream, frame: this.#frames[stream]++, handedAt: now, unit });
    this.#write(now);
  }

  /** No more units will be sent. */
  finish(): void {
    this.#finishRequested = true;
    this.#write(this.#now);
  }

  handleDatagram(now: Instant, datagram: Uint8Array): void {
    this.connection.handleDatagram(now, datagram);
    this.#write(now);
  }

  handleTimeout(now: Instant): void {
    if (!this.#opened && this.#options.openAt <= now) {
      this.#opened = true;
      this.connection.open(now);
    }
    this.connection.handleTimeout(now);
    this.#write(now);
  }

  pollTransmit(now: Instant): Uint8Array | undefined {
    return this.connection.pollTransmit(now);
  }

  pollEvent(): TcpMediaSenderEvent | undefined {
    for (let event = this.connection.pollEvent(); event; event = this.connection.pollEvent()) {
      if (event.kind === 'established' || event.kind === 'closed') this.#events.push({ kind: event.kind });
      else if (event.kind === 'reset' || event.kind === 'timed-out') {
        this.#events.push({ kind: 'failed', cause: event.kind });
      }
    }
    return this.#events.shift();
  }

  pollTimeout(): Instant | undefined {
    return this.#opened ? this.connection.pollTimeout() : this.#options.openAt;
  }

  #write(now: Instant): void {
    this.#now = now;
    const { unsentBytesMax = Number.POSITIVE_INFINITY } = this.#options;
    while (this.#waiting.length > 0 && this.connection.unsentBytes < unsentBytesMax) {
      const { unit, ...handed } = this.#waiting.shift()!;
      if (this.#isStale(now, handed, unit)) {
        this.#events.push({ kind: 'given-up', ...handed });
        continue;
      }
      const bytes = frameAccessUnit(handed.frame, unit, handed.stream);
      this.#events.push({ kind: 'written', ...handed, bytes: bytes.length });
      this.connection.write(now, bytes);
    }
    if (this.#finishRequested && this.#waiting.length === 0) this.connection.finish(now);
  }

  #isStale(now: Instant, { stream, handedAt }: HandedUnit, unit: AccessUnit): boolean {
    const { waitMax = Number.POSITIVE_INFINITY } = this.#options;
    const isOld = now - handedAt > waitMax;
    if (stream === 'sound') return isOld;
    if (unit.importance === 'key') this.#skipsToKey = isOld;
    else if (isOld) this.#skipsToKey = true;
    return this.#skipsToKey;
  }
}
