import { type Ecn, NOT_ECT } from '../../protocol/ecn.ts';
import type { Endpoint } from '../../protocol/endpoint.ts';
import { now } from '../os/clock.ts';
import { WakeUp } from '../os/wake-up.ts';
import { type RecentDatagram, RecentDatagrams } from './recent-datagrams.ts';

/** An internal error that ended an endpoint, and the last datagrams that it received. */
export interface EndpointFault {
  readonly error: unknown;
  readonly datagrams: readonly RecentDatagram[];
}

export interface EndpointDriverOptions<Event> {
  readonly endpoint: Endpoint<Event>;
  /** Sends datagrams in order, all with these ECN bits and by this path, 0 where there is one. */
  readonly transmit: (datagrams: readonly Uint8Array[], ecn: Ecn, path: number) => void;
  readonly onEvent: (event: Event) => void;
  /** Called when the polled datagrams have been transmitted, and their memory may be used again. */
  readonly onTransmitted?: () => void;
  /**
   * Called once when the endpoint throws, after the driver has been closed. The endpoint is not called again. Without
   * this callback the error propagates to the caller and ends the process.
   */
  readonly onFault?: (fault: EndpointFault) => void;
}

/** Runs an endpoint on the real clock: passes in datagrams and time, and drains its output. */
export class EndpointDriver<Event> {
  readonly #options: EndpointDriverOptions<Event>;
  readonly #wakeUp = new WakeUp(() => this.#ring());
  readonly #recent: RecentDatagrams | undefined;
  #immediate: NodeJS.Immediate | undefined;
  #closed = false;
  #failed = false;

  constructor(options: EndpointDriverOptions<Event>) {
    this.#options = options;
    if (options.onFault) this.#recent = new RecentDatagrams();
  }

  /** Passes a datagram to the endpoint. The output is drained once for all datagrams of the same turn. */
  receive(datagram: Uint8Array, ecn?: Ecn, path?: number): void {
    if (this.#closed) return;
    const at = now();
    this.#recent?.add(at, datagram);
    this.attempt(() => this.#options.endpoint.handleDatagram(at, datagram, ecn, path));
    this.#drainSoon();
  }

  /** Drains the endpoint after a command and sets its timer. */
  drain(): void {
    if (this.#closed) return;
    const { endpoint, transmit, onEvent } = this.#options;
    const runs: { readonly datagrams: Uint8Array[]; readonly ecn: Ecn; readonly path: number }[] = [];
    const at = now();
    this.attempt(() => {
      for (let datagram = endpoint.pollTransmit(at); datagram; datagram = endpoint.pollTransmit(at)) {
        const ecn = endpoint.transmitEcn ?? NOT_ECT;
        const path = endpoint.transmitPath ?? 0;
        // In the order of polling over all paths, as packets are encrypted in it.
        const run = runs.at(-1);
        if (run?.ecn === ecn && run.path === path) run.datagrams.push(datagram);
        else runs.push({ datagrams: [datagram], ecn, path });
      }
    });
    for (const { datagrams, ecn, path } of runs) transmit(datagrams, ecn, path);
    this.#options.onTransmitted?.();
    const poll = () => this.attempt(() => endpoint.pollEvent());
    for (let event = poll(); event !== undefined; event = poll()) onEvent(event);
    const due = this.attempt(() => endpoint.pollTimeout());
    if (!this.#closed) this.#wakeUp.set(due);
  }

  /** Runs a function that calls the endpoint. With `onFault`, an error in it ends this endpoint only. */
  attempt<Result>(work: () => Result): Result | undefined {
    if (this.#failed) return undefined;
    const { onFault } = this.#options;
    if (!onFault) return work();
    try {
      return work();
    } catch (error) {
      this.#failed = true;
      this.close();
      onFault({ error, datagrams: this.#recent!.list() });
      return undefined;
    }
  }

  close(): void {
    this.#closed = true;
    this.#wakeUp.clear();
    if (this.#immediate) clearImmediate(this.#immediate);
  }

  #ring(): void {
    if (this.#closed) return;
    const at = now();
    const { endpoint } = this.#options;
    this.attempt(() => {
      const due = endpoint.pollTimeout();
      if (due !== undefined && due <= at) endpoint.handleTimeout(at);
    });
    this.drain();
  }

  #drainSoon(): void {
    if (this.#closed) return;
    this.#immediate ??= setImmediate(() => {
      this.#immediate = undefined;
      this.#ring();
    });
  }
}
