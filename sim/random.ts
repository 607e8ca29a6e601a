/** One round of a low-bias 32-bit integer hash (two multiply–xorshift steps). */
function mix(word: number): number {
  let x = word | 0;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return x ^ (x >>> 16);
}

/**
 * Counter-based random numbers: draw n is a pure function of (seed, stream, n). Enabling one stream never shifts
 * another, and all strategies see the same result at draw n. Integer arithmetic only, so all engines agree.
 */
export class RandomStream {
  readonly #key: number;

  /** @param stream name of the stream, such as `forward/loss`; different names are independent. */
  constructor(seed: number, stream: string) {
    let key = mix(seed ^ 0x9e3779b9);
    for (let i = 0; i < stream.length; i++) key = mix(key + stream.charCodeAt(i) + 0x85ebca6b);
    this.#key = key;
  }

  /** Draw `index` (0 … 2^53 − 1): an integer, 0 … 2^32 − 1. */
  uint32(index: number): number {
    const high = Math.floor(index / 0x1_0000_0000);
    return mix(mix(this.#key ^ mix(index | 0)) + Math.imul(high + 1, 0xc2b2ae35)) >>> 0;
  }

  /** Draw `index`, scaled to an integer in 0 … `bound` − 1. `bound` is at most 2^21, so the product is exact. */
  below(index: number, bound: number): number {
    return Math.floor((this.uint32(index) * bound) / 0x1_0000_0000);
  }

  /** Draw `index` compared with a probability, in integers: true with that probability. */
  chance(index: number, probability: number): boolean {
    return this.uint32(index) < Math.round(probability * 0x1_0000_0000);
  }
}
