import { type Microseconds, microseconds } from '../../protocol/base/units.ts';

/** Some two seconds of samples while packets are being asked for, and longer while nothing is missing. */
const SAMPLES = 9;

/**
 * The round trip as the last samples show it: their median, and how far above it all of them but the worst stay.
 *
 * A mean and a mean deviation, as a retransmission timer has them (RFC 6298 §2.3), are moved far by a single answer
 * that was held up, and then take long to come back; that would give up requests that can be answered in time.
 */
export class RoundTrip {
  #samples: Microseconds[] = [];
  #median: Microseconds | undefined;
  #spread: Microseconds = microseconds(0);

  /** The median. */
  get typical(): Microseconds | undefined {
    return this.#median;
  }

  /** From the median to the longest but one; to the longest, where there are no more than three. */
  get spread(): Microseconds {
    return this.#spread;
  }

  observe(sample: Microseconds): void {
    this.#samples.push(sample);
    if (this.#samples.length > SAMPLES) this.#samples.shift();
    const sorted = this.#samples.toSorted((one, other) => one - other);
    this.#median = sorted[sorted.length >> 1]!;
    this.#spread = microseconds(sorted.at(sorted.length > 3 ? -2 : -1)! - this.#median);
  }
}
