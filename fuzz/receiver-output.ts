import type { Receiver, ReceiverEvent } from '../receiver/receiver.ts';
import type { DriveOutput } from './drive.ts';
import { hold, type Observed } from './fuzz-target.ts';

/** Packets that are decided in about the time of a timeout. */
const DECIDED_PER_STEP = 50;

/** Output of a receiver under test: its events are observed, and decode times must ascend. */
export class ReceiverOutput implements DriveOutput<ReceiverEvent> {
  readonly #observed: Observed;
  #datagrams = 0;
  #decodeTime = Number.NEGATIVE_INFINITY;

  constructor(observed: Observed) {
    this.#observed = observed;
  }

  /** Datagrams that the receiver has sent. */
  get datagrams(): number {
    return this.#datagrams;
  }

  /** Another stream begins, with a timeline of its own. */
  beginStream(): void {
    this.#decodeTime = Number.NEGATIVE_INFINITY;
  }

  readonly onTimeout = (): void => this.#observed.spend(1);

  readonly onDatagram = (): void => {
    this.#datagrams++;
    this.#observed.spend(1);
  };

  readonly onEvent = (event: ReceiverEvent): void => {
    this.#observed.see(event.kind);
    if (event.kind === 'malformed') this.#observed.reason(event.cause);
    if (event.kind === 'dropped') this.#observed.see(event.cause);
    if (event.kind !== 'access-unit') return;
    this.#observed.see(event.class);
    hold(event.unit.decodeTimestamp >= this.#decodeTime, 'decode times ascend');
    this.#decodeTime = event.unit.decodeTimestamp;
  };

  /** Holds that everything is counted once, and observes the counts. */
  settle(receiver: Receiver): void {
    receiver.assertBalanced();
    const { packets, frames, requests, foreign } = receiver.statistics;
    this.#observed.spend(packets.decided / DECIDED_PER_STEP);
    for (const [name, count] of Object.entries({ ...packets, requests, foreign })) {
      this.#observed.count(`packets.${name}`, Number(count));
    }
    for (const [name, count] of Object.entries(frames)) this.#observed.count(`frames.${name}`, Number(count));
  }
}
