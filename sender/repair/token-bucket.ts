import { type Instant, instant } from '../../protocol/base/units.ts';

/** The rest of the earnings stays available, so that a small stream is not without a budget until it has repaid. */
const REPAID_OF_EARNED = 0.5;

/**
 * A byte budget filled by earnings and drained by spending. It limits the answers to a peer to a share of the media.
 */
export class TokenBucket {
  readonly #share: number;
  readonly #bytesMax: number;
  #bytes: number;
  #owed: number;
  #earned = 0;

  /**
   * @param options.share bytes earned per byte of media, 0 … 1; `bytesMax` limits the savings; `advance` is the initial
   * balance, repaid from half of the first earnings. Without it the bucket starts full.
   */
  constructor(options: { readonly share: number; readonly bytesMax: number; readonly advance?: number }) {
    this.#share = options.share;
    this.#bytesMax = options.bytesMax;
    this.#owed = options.advance ?? 0;
    this.#bytes = options.share > 0 ? (options.advance ?? options.bytesMax) : 0;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Total earned, whether spent or not. */
  get earned(): number {
    return this.#earned;
  }

  earn(mediaBytes: number): void {
    const earned = mediaBytes * this.#share;
    this.#earned += earned;
    const paidBack = Math.min(earned * REPAID_OF_EARNED, this.#owed);
    this.#owed -= paidBack;
    this.#bytes = Math.min(this.#bytesMax, this.#bytes + earned - paidBack);
  }

  /**
   * @param reserve bytes kept for other uses; below 0, the permitted overdraft.
   * @returns false, and spends nothing, when the balance is too low.
   */
  spend(bytes: number, reserve = 0): boolean {
    if (bytes > this.#bytes - reserve) return false;
    this.#bytes -= bytes;
    return true;
  }
}

/** Limits the rate of events, such as answers that cost us more than their requests. */
export class EventLimit {
  readonly #interval: number;
  #nextAt: Instant = instant(Number.NEGATIVE_INFINITY);

  constructor(interval: number) {
    this.#interval = interval;
  }

  allow(now: Instant): boolean {
    if (now < this.#nextAt) return false;
    this.#nextAt = instant(now + this.#interval);
    return true;
  }
}
