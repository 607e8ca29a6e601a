import type { RandomStream } from '../../random.ts';

/**
 * netem's correlated draws, as broken as in the kernel (`get_crandom`): each is a mean of a fresh draw and the one
 * before, so it is not uniform any more, and a small share comes true far less often than asked.
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
    // The kernel begins with a draw outside of its seed; here it is one of the stream's own, far behind all others.
    this.#last = random.uint32(Number.MAX_SAFE_INTEGER);
  }

  /** The next draw, 0 … 2^32 − 1. */
  next(): number {
    const fresh = this.#random.uint32(this.#draws++);
    if (this.#correlation === 0) return fresh;
    const weight = this.#correlation + 1;
    this.#last = Math.floor((fresh * (0x1_0000_0000 - weight) + this.#last * weight) / 0x1_0000_0000);
    return this.#last;
  }

  /** Whether a share of the draws comes true, compared as in the kernel. */
  happens(share: number): boolean {
    if (share === 0) return false;
    return Math.round(share * 0xffff_ffff) >= this.next();
  }
}
