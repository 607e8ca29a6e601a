import type { Instant } from '../base/units.ts';
import type { Ecn } from '../ecn.ts';
import type { Endpoint } from '../endpoint.ts';

/** Changes datagrams on their way between an endpoint and the path. */
export interface DatagramProtection {
  /** Returns the datagram as sent on the path. */
  protect(datagram: Uint8Array): Uint8Array;
  /** Returns the endpoint's datagram; `undefined` when this one is not from the other end. */
  unprotect(datagram: Uint8Array): Uint8Array | undefined;
}

/** An endpoint whose datagrams are protected on the path, without its knowledge. */
export class ProtectedEndpoint<Event> implements Endpoint<Event> {
  readonly #endpoint: Endpoint<Event>;
  readonly #protection: DatagramProtection;

  constructor(endpoint: Endpoint<Event>, protection: DatagramProtection) {
    this.#endpoint = endpoint;
    this.#protection = protection;
  }

  handleDatagram(now: Instant, datagram: Uint8Array, _ecn?: Ecn, path?: number): void {
    const packet = this.#protection.unprotect(datagram);
    if (packet) this.#endpoint.handleDatagram(now, packet, undefined, path);
  }

  handleTimeout(now: Instant): void {
    this.#endpoint.handleTimeout(now);
  }

  pollTransmit(now: Instant): Uint8Array | undefined {
    const packet = this.#endpoint.pollTransmit(now);
    return packet && this.#protection.protect(packet);
  }

  get transmitPath(): number {
    return this.#endpoint.transmitPath ?? 0;
  }

  pollEvent(): Event | undefined {
    return this.#endpoint.pollEvent();
  }

  pollTimeout(): Instant | undefined {
    return this.#endpoint.pollTimeout();
  }
}
