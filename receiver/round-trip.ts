import type { Microseconds } from '../protocol/instant.ts';

/** The round trip and how much it varies, smoothed as TCP does (RFC 6298 §2.3). */
export class RoundTrip {
  #smoothed: Microseconds | undefined;
  #deviation: Microseconds = 0;

  get smoothed(): Microseconds | undefined {
    return this.#smoothed === undefined ? undefined : Math.round(this.#smoothed);
  }

  /** Mean distance of the samples from the smoothed value. */
  get deviation(): Microseconds {
    return this.#deviation;
  }

  observe(sample: Microseconds): void {
    if (this.#smoothed === undefined) {
      this.#smoothed = sample;
      return;
    }
    this.#deviation = (this.#deviation * 3 + Math.abs(sample - this.#smoothed)) / 4;
    this.#smoothed = (this.#smoothed * 7 + sample) / 8;
  }
}
