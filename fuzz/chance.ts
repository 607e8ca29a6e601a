/** Random numbers of a campaign: xorshift32, fast and repeatable. */
export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0 || 0x9e37_79b9;
  }

  /** Returns an integer, 0 … 2^32 − 1. */
  uint32(): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state >>> 0;
    return this.#state;
  }

  /** Returns an integer, 0 … `bound` − 1; 0 when the bound is below 1. */
  below(bound: number): number {
    return bound < 1 ? 0 : this.uint32() % bound;
  }

  /** Returns true once in `count` times. */
  oneIn(count: number): boolean {
    return this.below(count) === 0;
  }

  /** Returns one of the elements. */
  of<T>(elements: readonly T[]): T {
    return elements[this.below(elements.length)]!;
  }

  /** Returns a small number more often than a large one, 0 … `bound` − 1. */
  small(bound: number): number {
    return this.below(this.below(bound) + 1);
  }
}
