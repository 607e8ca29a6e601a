import { type Instant, later, type Microseconds, timeFor } from '../../protocol/base/units.ts';
import type { Endpoint } from '../../protocol/endpoint.ts';

export interface ConstantStreamOptions {
  /** Payload bits per second. */
  readonly rate: number;
  /** Payload of a datagram. */
  readonly packetBytes: number;
  readonly startsAt: Instant;
  /** Sends until then, exclusive; `undefined`: without end. */
  readonly stopsAt?: Instant;
}

/** Sends equal datagrams at a constant rate, whatever becomes of them. */
export class ConstantSender implements Endpoint<never> {
  readonly #options: ConstantStreamOptions;
  readonly #interval: Microseconds;
  readonly #datagram: Uint8Array;
  #sent = 0;
  #due = 0;

  constructor(options: ConstantStreamOptions) {
    this.#options = options;
    this.#interval = timeFor(options.packetBytes * 8, options.rate);
    this.#datagram = new Uint8Array(options.packetBytes);
  }

  handleDatagram(): void {}

  handleTimeout(now: Instant): void {
    for (let at = this.pollTimeout(); at !== undefined && at <= now; at = this.pollTimeout()) {
      this.#sent++;
      this.#due++;
    }
  }

  pollTransmit(): Uint8Array | undefined {
    if (this.#due === 0) return undefined;
    this.#due--;
    // A datagram of its own for each, because the paths distinguish datagrams by identity.
    return this.#datagram.slice();
  }

  pollEvent(): undefined {
    return undefined;
  }

  pollTimeout(): Instant | undefined {
    const { startsAt, stopsAt } = this.#options;
    const at = later(startsAt, (this.#sent * this.#interval) as Microseconds);
    return stopsAt !== undefined && at >= stopsAt ? undefined : at;
  }
}

/** Receives datagrams, and does nothing with them. */
export class Sink implements Endpoint<never> {
  handleDatagram(): void {}

  handleTimeout(): void {}

  pollTransmit(): undefined {
    return undefined;
  }

  pollEvent(): undefined {
    return undefined;
  }

  pollTimeout(): undefined {
    return undefined;
  }
}
