import { now } from '../../io/os/clock.ts';
import { FineWakeUp } from '../../io/os/fine-wake-up.ts';
import { type Microseconds, microseconds } from '../../protocol/base/units.ts';
import { ConstantRate, type ConstantRateOptions, type RateDatagram } from '../../sender/constant-rate.ts';

/** Datagrams of one turn of the event loop; the rest of what is due goes on in the next one. */
const TURN_DATAGRAMS = 256;

/** Sends a transport stream at a constant rate in real time, on a timer of its own. */
export class ConstantPacer {
  readonly #transmit: (datagram: RateDatagram) => void;
  readonly #wakeUp: FineWakeUp;
  #stream: ConstantRate | undefined;
  #onDrained: (() => void) | undefined;
  #isClosed = false;

  static async open(transmit: (datagram: RateDatagram) => void): Promise<ConstantPacer> {
    let pacer: ConstantPacer | undefined;
    const wakeUp = await FineWakeUp.open(() => pacer?.poll());
    pacer = new ConstantPacer(wakeUp, transmit);
    return pacer;
  }

  private constructor(wakeUp: FineWakeUp, transmit: (datagram: RateDatagram) => void) {
    this.#wakeUp = wakeUp;
    this.#transmit = transmit;
  }

  /** Time until everything that waits has left. */
  get backlog(): Microseconds {
    return this.#stream?.backlog ?? microseconds(0);
  }

  begin(options: ConstantRateOptions): void {
    this.#stream = new ConstantRate(options);
    this.poll();
  }

  push(packets: Uint8Array): void {
    this.#stream?.push(packets);
  }

  /** Sends what is due. */
  poll(): void {
    if (this.#isClosed || !this.#stream) return;
    for (let sent = 0; now() >= this.#stream.dueAt; sent++) {
      if (sent === TURN_DATAGRAMS) return void setImmediate(() => this.poll());
      const due = this.#stream.poll(now());
      if (due) this.#transmit(due);
    }
    if (this.#stream.backlog === 0) this.#onDrained?.();
    if (!this.#isClosed) this.#wakeUp.set(this.#stream.dueAt);
  }

  /** Resolves when nothing waits any more, or when the pacer is closed. */
  async drained(): Promise<void> {
    if (this.#isClosed || this.backlog === 0) return;
    await new Promise<void>((resolve) => {
      this.#onDrained = resolve;
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#wakeUp.close();
    this.#onDrained?.();
  }
}
