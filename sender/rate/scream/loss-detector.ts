import { elapsed, type Instant, type Microseconds, microseconds, seconds } from '../../../protocol/base/units.ts';
import type { PacketReport } from '../rate-controller.ts';

/** Packets that are remembered. */
const PACKETS_MAX = 4_096;
/** Longest reordering that is waited for. */
const WINDOW_MAX: Microseconds = seconds(1);

/**
 * Lost packet detection (RFC 8298 §4.1.2.4, after RFC 8985): a packet reported as missing is lost when it has not been
 * reported as received within the reordering window, which grows with the reordering seen.
 */
export class LossDetector {
  /** Time at which each packet was first reported as missing, by number, ascending in time; not yet lost. */
  readonly #missing = new Map<number, Instant>();
  /** The same of packets that count as lost, to learn from those that come after all. */
  readonly #lost = new Map<number, Instant>();
  #window: Microseconds = microseconds(0);

  get reorderingWindow(): Microseconds {
    return this.#window;
  }

  /** @returns packets that are lost from now on. */
  onReports(now: Instant, packets: readonly PacketReport[]): number {
    for (const { number, arrivedAt } of packets) {
      if (arrivedAt === undefined) this.#missing.set(number, now);
      else this.#onReceived(now, number);
    }
    let lost = 0;
    for (const [number, since] of this.#missing) {
      if (now - since < this.#window && this.#missing.size <= PACKETS_MAX) break;
      this.#missing.delete(number);
      this.#lost.set(number, since);
      lost++;
    }
    for (const number of this.#lost.keys()) {
      if (this.#lost.size <= PACKETS_MAX) break;
      this.#lost.delete(number);
    }
    return lost;
  }

  #onReceived(now: Instant, number: number): void {
    const since = this.#missing.get(number) ?? this.#lost.get(number);
    if (since === undefined) return;
    this.#missing.delete(number);
    this.#lost.delete(number);
    this.#window = microseconds(Math.min(WINDOW_MAX, Math.max(this.#window, elapsed(since, now))));
  }
}
