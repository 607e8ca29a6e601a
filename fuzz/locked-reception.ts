import { type Instant, instant, later, type Microseconds, seconds } from '../protocol/base/units.ts';
import type { Receiver } from '../receiver/receiver.ts';
import { drain, driveUntil } from './drive.ts';
import type { Observed } from './fuzz-target.ts';
import { ReceiverOutput } from './receiver-output.ts';

/** Time for which a stream goes on after its last datagram. */
const AFTER = seconds(3);

/** The receiver of the stream that a source lock has chosen, under test: another choice ends it and begins anew. */
export class LockedReception {
  readonly #output: ReceiverOutput;
  #receiver: Receiver | undefined;
  #now: Instant = instant(seconds(1));

  constructor(observed: Observed) {
    this.#output = new ReceiverOutput(observed);
  }

  get now(): Instant {
    return this.#now;
  }

  /** Lets time pass. */
  pass(time: Microseconds): void {
    const end = later(this.#now, time);
    if (this.#receiver) driveUntil(this.#receiver, { start: this.#now, end, output: this.#output });
    this.#now = end;
  }

  /** Ends the receiver so far, and continues with this one. */
  begin(receiver: Receiver): void {
    this.#end();
    this.#receiver = receiver;
    this.#output.beginStream();
  }

  /** Passes a datagram to the receiver, if there is one. */
  receive(datagram: Uint8Array): void {
    if (!this.#receiver) return;
    this.#receiver.handleDatagram(this.#now, datagram);
    drain(this.#receiver, this.#now, this.#output);
  }

  /** Lets the stream end, and holds that its counts agree. */
  finish(): void {
    if (this.#receiver) this.pass(AFTER);
    this.#end();
  }

  #end(): void {
    if (!this.#receiver) return;
    this.#receiver.finish(this.#now);
    drain(this.#receiver, this.#now, this.#output);
    this.#output.settle(this.#receiver);
  }
}
