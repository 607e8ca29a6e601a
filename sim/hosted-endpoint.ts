import type { Instant, Microseconds } from '../protocol/base/instant.ts';
import type { Endpoint } from '../protocol/endpoint.ts';

export interface HostOptions {
  /** From the end of the path until the process that waits for a datagram runs. */
  readonly arrival: Microseconds;
  /** Whether it handles all that has come by then before it answers, as a process does, or one after the other, as a kernel. */
  readonly together: boolean;
  /** The process' timers ring at whole multiples of this; 1: to the microsecond. */
  readonly timerTick: Microseconds;
}

interface Waiting {
  readonly at: Instant;
  readonly datagram: Uint8Array;
}

/**
 * An endpoint as a process on a machine has it: it learns of a datagram when it is woken up, and its timers ring late. Both
 * take as long each time; what a loaded machine adds is not modelled.
 */
export class HostedEndpoint<Event> implements Endpoint<Event> {
  readonly #endpoint: Endpoint<Event>;
  readonly #options: HostOptions;
  /** In the order of arrival. */
  readonly #waiting: Waiting[] = [];

  constructor(endpoint: Endpoint<Event>, options: HostOptions) {
    this.#endpoint = endpoint;
    this.#options = options;
  }

  handleDatagram(now: Instant, datagram: Uint8Array): void {
    this.#waiting.push({ at: now + this.#options.arrival, datagram });
  }

  handleTimeout(now: Instant): void {
    while (this.#waiting.length > 0 && this.#waiting[0]!.at <= now) {
      this.#endpoint.handleDatagram(now, this.#waiting.shift()!.datagram);
      if (!this.#options.together) return;
    }
    const due = this.#ringsAt();
    if (due !== undefined && due <= now) this.#endpoint.handleTimeout(now);
  }

  pollTransmit(now: Instant): Uint8Array | undefined {
    return this.#endpoint.pollTransmit(now);
  }

  pollEvent(): Event | undefined {
    return this.#endpoint.pollEvent();
  }

  pollTimeout(): Instant | undefined {
    const rings = this.#ringsAt();
    const arrives = this.#waiting[0]?.at;
    return rings === undefined || arrives === undefined ? (rings ?? arrives) : Math.min(rings, arrives);
  }

  #ringsAt(): Instant | undefined {
    const due = this.#endpoint.pollTimeout();
    const { timerTick } = this.#options;
    return due === undefined ? undefined : Math.ceil(due / timerTick) * timerTick;
  }
}
