import { type Microseconds, microseconds } from './units.ts';

/** Fine bins up to 2 s and coarse ones up to 200 s: percentiles of a run of any length in constant memory. */
const FINE_BIN = 100;
const FINE_BINS = 20_000;
const COARSE_BIN = 10_000;
const COARSE_BINS = 19_800;

/** Percentiles of durations, microseconds: 50, 95, 99 and the maximum; absent while there are no values. */
export interface Percentiles {
  readonly p50?: Microseconds;
  readonly p95?: Microseconds;
  readonly p99?: Microseconds;
  readonly max: Microseconds;
}

/** Histogram of durations in microseconds; resolution 0.1 ms below 2 s and 10 ms above. */
export class Histogram {
  readonly #bins = new Uint32Array(FINE_BINS + COARSE_BINS);
  #count = 0;
  #max: Microseconds = microseconds(0);

  get count(): number {
    return this.#count;
  }

  get max(): Microseconds {
    return this.#max;
  }

  /** The reported percentiles; all `undefined` while empty. */
  get summary(): Percentiles {
    const p50 = this.percentile(0.5);
    const p95 = this.percentile(0.95);
    const p99 = this.percentile(0.99);
    if (p50 === undefined || p95 === undefined || p99 === undefined) return { max: microseconds(0) };
    return { p50, p95, p99, max: this.#max };
  }

  add(span: Microseconds): void {
    const value = microseconds(Math.max(0, span));
    const fine = Math.floor(value / FINE_BIN);
    const coarse = FINE_BINS + Math.floor((value - FINE_BINS * FINE_BIN) / COARSE_BIN);
    const bin = fine < FINE_BINS ? fine : Math.min(coarse, this.#bins.length - 1);
    this.#bins[bin]!++;
    this.#count++;
    if (value > this.#max) this.#max = value;
  }

  /**
   * Smallest duration that at least `share` of all do not exceed, as the middle of its bin; `undefined` when empty.
   * @param share 0 … 1
   */
  percentile(share: number): Microseconds | undefined {
    if (this.#count === 0) return undefined;
    const rank = Math.max(1, Math.ceil(share * this.#count));
    let seen = 0;
    for (let bin = 0; bin < this.#bins.length; bin++) {
      seen += this.#bins[bin]!;
      if (seen < rank) continue;
      const middle =
        bin < FINE_BINS
          ? bin * FINE_BIN + FINE_BIN / 2
          : FINE_BINS * FINE_BIN + (bin - FINE_BINS) * COARSE_BIN + COARSE_BIN / 2;
      return microseconds(Math.min(middle, this.#max));
    }
    return this.#max;
  }
}
