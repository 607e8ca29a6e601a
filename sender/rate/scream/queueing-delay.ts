import { type Instant, type Microseconds, microseconds, SECOND } from '../../../protocol/base/units.ts';

/** Minima of single minutes that are kept (RFC 6817 §3.4.2, BASE_HISTORY). */
const MINUTES = 10;

/**
 * Queueing delay as in LEDBAT (RFC 6817 §3.4.2): one-way delay less the least of the last ten minutes. The clocks of both
 * ends may differ by any constant.
 */
export class QueueingDelay {
  #minima: number[] = [];
  #minute = Number.NEGATIVE_INFINITY;

  /** Takes the times of a received packet, the arrival on the receiver's clock. @returns its queueing delay. */
  onPacket(now: Instant, sentAt: Instant, arrivedAt: Microseconds): Microseconds {
    const delay = arrivedAt - sentAt;
    const minute = Math.floor(now / (60 * SECOND));
    if (minute > this.#minute) {
      this.#minute = minute;
      this.#minima = [...this.#minima, delay].slice(-MINUTES);
    } else {
      const last = this.#minima.length - 1;
      this.#minima[last] = Math.min(this.#minima[last]!, delay);
    }
    return microseconds(delay - Math.min(...this.#minima));
  }
}
