import { type Instant, instant } from '../../protocol/base/units.ts';

/**
 * A budget in bytes that fills with what is earned and empties with what is spent, so that whatever a peer asks for
 * costs no more than its share of the media.
 */
export class TokenBucket {
  readonly #share: number;
  readonly #bytesMax: number;
  #bytes: number;
  #owed: number;
  #earned = 0;

  /**
   * @param options.share bytes earned for each byte of media, 0 … 1; `bytesMax` is what may be saved up, and
   * `advance` what there is to begin with, and is paid back from what is earned first; without it the bucket begins full.
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

  /** Earned since the beginning, spent or not. */
  get earned(): number {
    return this.#earned;
  }

  earn(mediaBytes: number): void {
    const earned = mediaBytes * this.#share;
    this.#earned += earned;
    const paidBack = Math.min(earned, this.#owed);
    this.#owed -= paidBack;
    this.#bytes = Math.min(this.#bytesMax, this.#bytes + earned - paidBack);
  }

  /**
   * @param reserve bytes that are kept for others; below 0: by how much the bucket may be overdrawn.
   * @returns false, and spends nothing, when there is not enough.
   */
  spend(bytes: number, reserve = 0): boolean {
    if (bytes > this.#bytes - reserve) return false;
    this.#bytes -= bytes;
    return true;
  }
}

/** The same for events a second, such as answers to requests that cost us more than them. */
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
