/**
 * TinyMT32 (RFC 8682): 32 pseudo-random bits at a time from a state of 127 bits, identical on every machine for the
 * same seed. Sender and receiver draw the coefficients of a repair symbol from it, so it is part of the wire format.
 * The parameters are those of RFC 8682 §2.1.
 */
const MATRIX_1 = 0x8f7011ee;
const MATRIX_2 = 0xfc78ff1f;
const TEMPERING = 0x3793fdff;

/** Rounds that mix the seed into the state, whose first word is the seed, and rounds discarded after them. */
const SEEDING_ROUNDS = 7;
const WARM_UP_ROUNDS = 8;

/** Multiplier of the Mersenne Twister's initialization. */
const SEEDING_MULTIPLIER = 1_812_433_253;

export class TinyMT32 {
  // The four words of the state, as signed 32-bit integers. Fields instead of an array halve the time.
  #first: number;
  #second: number;
  #third: number;
  #fourth: number;

  /** @param seed 0…2^32-1; zero is allowed. */
  constructor(seed: number) {
    const state = [seed | 0, MATRIX_1 | 0, MATRIX_2 | 0, TEMPERING | 0];
    for (let round = 1; round <= SEEDING_ROUNDS; round++) {
      const before = state[(round - 1) & 3]!;
      state[round & 3]! ^= round + Math.imul(SEEDING_MULTIPLIER, before ^ (before >>> 30));
    }
    this.#first = state[0]!;
    this.#second = state[1]!;
    this.#third = state[2]!;
    this.#fourth = state[3]!;
    for (let round = 0; round < WARM_UP_ROUNDS; round++) this.#advance();
  }

  /** Returns the next number, 0…2^32-1. */
  next(): number {
    this.#advance();
    const sum = (this.#first + (this.#third >>> 8)) | 0;
    const word = this.#fourth ^ sum;
    return ((sum & 1) === 0 ? word : word ^ TEMPERING) >>> 0;
  }

  #advance(): void {
    let left = (this.#first & 0x7fffffff) ^ this.#second ^ this.#third;
    left ^= left << 1;
    const right = this.#fourth ^ (this.#fourth >>> 1) ^ left;
    this.#first = this.#second;
    this.#second = this.#third;
    this.#third = left ^ (right << 10);
    this.#fourth = right;
    if ((right & 1) === 0) return;
    this.#second ^= MATRIX_1;
    this.#third ^= MATRIX_2;
  }
}
