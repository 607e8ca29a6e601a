import { elapsed, type Instant, type Microseconds, microseconds } from '../../protocol/base/units.ts';

/** Age of what waits in the queue of a connection, from the times at which it was written. */
export class BacklogAge {
  readonly #written: { readonly at: Instant; readonly end: number }[] = [];
  #total = 0;

  /** Bytes were written. @param waiting bytes of the queue, these included. */
  add(now: Instant, bytes: number, waiting: number): void {
    this.#total += bytes;
    this.#forgetSent(waiting);
    if (bytes > 0) this.#written.push({ at: now, end: this.#total });
  }

  /** Time for which the oldest waiting byte has waited. @param waiting bytes of the queue. */
  of(now: Instant, waiting: number): Microseconds {
    this.#forgetSent(waiting);
    const oldest = this.#written[0];
    return oldest ? elapsed(oldest.at, now) : microseconds(0);
  }

  #forgetSent(waiting: number): void {
    const sent = this.#total - waiting;
    while (this.#written.length > 0 && this.#written[0]!.end <= sent) this.#written.shift();
  }
}
