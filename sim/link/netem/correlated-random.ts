import type { RandomStream } from '../../random.ts';

/**
 * Correlated draws of netem, including the kernel's flaw (`get_crandom`): each is a weighted mean of a fresh draw and
 * the previous result, so the values are not uniform, and events of small probability occur far less often than
 * configured.
 */
export class CorrelatedRandom {
  readonly #random: RandomStream;
  readonly #correlation: number;
  #last: number;
  #draws = 0;

  /** @param correlation 0 … 1; 0: independent draws. */
  constructor(random: RandomStream, correlation: number) {
    this.#random = random;
    this.#correlation = Math.round(correlation * 0xffff_ffff);
    // The kernel starts from an unseeded draw. Here it comes from the stream, far beyond all indices in use.
    this.#last = random.uint32(Number.MAX_SAFE_INTEGER);
  }

  /** Returns the next draw, 0 … 2^32 − 1. */
  next(): number {
    const fresh = this.#random.uint32(this.#draws++);
    if (this.#correlation === 0) return fresh;
    const weight = this.#correlation + 1;
    this.#last = Math.floor((fresh * (0x1_0000_0000 - weight) + this.#last * weight) / 0x1_0000_0000);
    return this.#last;
  }

  /** Returns true with probability `share`, compared as in the kernel. */
  happens(share: number): boolean {
    if (share === 0) return false;
    return Math.round(share * 0xffff_ffff) >= this.next();
  }
}
