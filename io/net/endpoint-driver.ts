import type { Endpoint } from '../../protocol/endpoint.ts';
import { now } from '../os/clock.ts';
import { WakeUp } from '../os/wake-up.ts';

export interface EndpointDriverOptions<Event> {
  readonly endpoint: Endpoint<Event>;
  /** Sends datagrams in order. */
  readonly transmit: (datagrams: readonly Uint8Array[]) => void;
  readonly onEvent: (event: Event) => void;
}

/** Runs an endpoint on the real clock: passes in datagrams and time, and drains its output. */
export class EndpointDriver<Event> {
  readonly #options: EndpointDriverOptions<Event>;
  readonly #wakeUp = new WakeUp(() => this.#ring());
  #immediate: NodeJS.Immediate | undefined;
  #closed = false;

  constructor(options: EndpointDriverOptions<Event>) {
    this.#options = options;
  }

  /** Passes a datagram to the endpoint. The output is drained once for all datagrams of the same turn. */
  receive(datagram: Uint8Array): void {
    if (this.#closed) return;
    this.#options.endpoint.handleDatagram(now(), datagram);
    this.#drainSoon();
  }

  /** Drains the endpoint after a command and sets its timer. */
  drain(): void {
    if (this.#closed) return;
    const { endpoint, transmit, onEvent } = this.#options;
    const datagrams: Uint8Array[] = [];
    const at = now();
    for (let datagram = endpoint.pollTransmit(at); datagram; datagram = endpoint.pollTransmit(at)) {
      datagrams.push(datagram);
    }
    if (datagrams.length > 0) transmit(datagrams);
    for (let event = endpoint.pollEvent(); event !== undefined; event = endpoint.pollEvent()) onEvent(event);
    if (!this.#closed) this.#wakeUp.set(endpoint.pollTimeout());
  }

  close(): void {
    this.#closed = true;
    this.#wakeUp.clear();
    if (this.#immediate) clearImmediate(this.#immediate);
  }

  #ring(): void {
    if (this.#closed) return;
    const at = now();
    const due = this.#options.endpoint.pollTimeout();
    if (due !== undefined && due <= at) this.#options.endpoint.handleTimeout(at);
    this.drain();
  }

  #drainSoon(): void {
    this.#immediate ??= setImmediate(() => {
      this.#immediate = undefined;
      this.#ring();
    });
  }
}
