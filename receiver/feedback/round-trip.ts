import { type Microseconds, microseconds } from '../../protocol/base/units.ts';

/** Number of samples: some two seconds while packets are requested, longer otherwise. */
const SAMPLES = 9;
/** Number of samples of the distribution. */
const SAMPLES_OF_SHARE = 64;

/**
 * Round-trip time over the last samples: their median, and the distance from it to all but the worst.
 *
 * A smoothed mean and deviation, as in a retransmission timer (RFC 6298 §2.3), would be distorted by a single delayed
 * answer and recover slowly, so that requests would be given up that can be answered in time.
 */
export class RoundTrip {
  readonly #samples: Microseconds[] = [];
  #median: Microseconds | undefined;
  #spread: Microseconds = microseconds(0);

  /** Median. */
  get typical(): Microseconds | undefined {
    return this.#median;
  }

  /** Distance from the median to the second-longest sample; to the longest with three samples or fewer. */
  get spread(): Microseconds {
    return this.#spread;
  }

  /** Share of the last 64 round trips that were at most this long; 1 before the first. */
  shareWithin(span: Microseconds): number {
    if (this.#samples.length === 0) return 1;
    let within = 0;
    for (const sample of this.#samples) if (sample <= span) within++;
    return within / this.#samples.length;
  }

  observe(sample: Microseconds): void {
    this.#samples.push(sample);
    if (this.#samples.length > SAMPLES_OF_SHARE) this.#samples.shift();
    const sorted = this.#samples.slice(-SAMPLES).sort((one, other) => one - other);
    this.#median = sorted[sorted.length >> 1]!;
    this.#spread = microseconds(sorted.at(sorted.length > 3 ? -2 : -1)! - this.#median);
  }
}
