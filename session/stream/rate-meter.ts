import { elapsed, type Instant, inSeconds, type Microseconds, perSecond, seconds } from '../../protocol/base/units.ts';

/** Rates of a stream that follows the path, bits per second. */
export interface StreamRates {
  /** Bit rate that the encoder is told. */
  readonly target: number;
  /** Of all datagrams of the stream, recovery included, to all receivers together; without UDP and IP headers. */
  readonly sent: number;
  /** The same, as far as receivers report them one by one (RFC 8888). */
  readonly delivered: number;
}

/** Byte counts of a stream so far, and the bit rate that its encoder is told. */
interface RateSample {
  readonly target: number;
  readonly sentBytes: number;
  readonly deliveredBytes: number;
}

/** Long enough for a dozen reports at any rate, short enough to see a path change. */
const WINDOW: Microseconds = seconds(1);

/** Measures the rates of the last second, and the mean target of a whole stream. */
export class RateMeter {
  readonly #samples: { readonly at: Instant; readonly sample: RateSample }[] = [];
  #targetBits = 0;
  #seconds = 0;

  /** @param sample at this time; to be called a few times a second. */
  add(now: Instant, sample: RateSample): void {
    const last = this.#samples.at(-1);
    // A pause of the stream is not part of its mean.
    if (last && elapsed(last.at, now) < WINDOW) {
      const span = inSeconds(elapsed(last.at, now));
      this.#targetBits += last.sample.target * span;
      this.#seconds += span;
    }
    this.#samples.push({ at: now, sample });
    while (this.#samples.length > 2 && elapsed(this.#samples[1]!.at, now) >= WINDOW) this.#samples.shift();
  }

  /** Rates over the last second; `undefined` before the second sample. */
  get rates(): StreamRates | undefined {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (!first || !last || last.at <= first.at) return undefined;
    const rate = (of: (sample: RateSample) => number): number =>
      perSecond((of(last.sample) - of(first.sample)) * 8, elapsed(first.at, last.at));
    return {
      target: last.sample.target,
      sent: rate(({ sentBytes }) => sentBytes),
      delivered: rate(({ deliveredBytes }) => deliveredBytes),
    };
  }

  /** Mean of the target over the time of the stream, bits per second; `undefined` before the second sample. */
  get meanTarget(): number | undefined {
    return this.#seconds > 0 ? this.#targetBits / this.#seconds : undefined;
  }

  /** Time of the stream, seconds, without pauses. */
  get seconds(): number {
    return this.#seconds;
  }
}
