import { earliest, type Instant, instant, later, type Microseconds } from '../protocol/base/units.ts';
import { type Ecn, NOT_ECT } from '../protocol/ecn.ts';
import type { Endpoint } from '../protocol/endpoint.ts';

export interface HostOptions {
  /** Time from the end of the path until the waiting process runs, microseconds. */
  readonly arrival: Microseconds;
  /**
   * True: all datagrams that have arrived are handled before answers are sent, as in a process. False: one at a time,
   * as in a kernel.
   */
  readonly together: boolean;
  /** Resolution of the process's timers, microseconds; 1: exact. */
  readonly timerTick: Microseconds;
}

interface ArrivedDatagram {
  readonly at: Instant;
  readonly datagram: Uint8Array;
  readonly ecn: Ecn | undefined;
  readonly path: number | undefined;
}

/**
 * Runs an endpoint as a process on a machine: it receives datagrams after a wake-up latency, and its timers expire
 * late. Both delays are constant; the effect of machine load is not modelled.
 */
export class HostedEndpoint<Event> implements Endpoint<Event> {
  readonly #endpoint: Endpoint<Event>;
  readonly #options: HostOptions;
  /** In arrival order. */
  readonly #waiting: ArrivedDatagram[] = [];

  constructor(endpoint: Endpoint<Event>, options: HostOptions) {
    this.#endpoint = endpoint;
    this.#options = options;
  }

  handleDatagram(now: Instant, datagram: Uint8Array, ecn?: Ecn, path?: number): void {
    this.#waiting.push({ at: later(now, this.#options.arrival), datagram, ecn, path });
  }

  handleTimeout(now: Instant): void {
    while (this.#waiting.length > 0 && this.#waiting[0]!.at <= now) {
      const { datagram, ecn, path } = this.#waiting.shift()!;
      this.#endpoint.handleDatagram(now, datagram, ecn, path);
      if (!this.#options.together) return;
    }
    const due = this.#timerAt();
    if (due !== undefined && due <= now) this.#endpoint.handleTimeout(now);
  }

  pollTransmit(now: Instant): Uint8Array | undefined {
    return this.#endpoint.pollTransmit(now);
  }

  get transmitEcn(): Ecn {
    return this.#endpoint.transmitEcn ?? NOT_ECT;
  }

  get transmitPath(): number {
    return this.#endpoint.transmitPath ?? 0;
  }

  pollEvent(): Event | undefined {
    return this.#endpoint.pollEvent();
  }

  pollTimeout(): Instant | undefined {
    const timerAt = this.#timerAt();
    const arrivalAt = this.#waiting[0]?.at;
    return timerAt === undefined || arrivalAt === undefined ? (timerAt ?? arrivalAt) : earliest(timerAt, arrivalAt);
  }

  #timerAt(): Instant | undefined {
    const due = this.#endpoint.pollTimeout();
    const { timerTick } = this.#options;
    return due === undefined ? undefined : instant(Math.ceil(due / timerTick) * timerTick);
  }
}
