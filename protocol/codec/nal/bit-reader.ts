/** Longest ue(v) prefix in H.264, leading zeros (§9.1: codeNum up to 2³² − 2). */
const LEADING_ZEROS_MAX = 31;

/**
 * Reads syntax elements of a NAL unit (H.264 §7.2, §9.1) after its header. Emulation prevention bytes (00 00 *03*,
 * §7.3.1) are skipped while reading, so that a long slice is not copied for a few header bits. Never reads past the
 * end: elements beyond it are 0 and set `overrun`. Check `overrun` before using a result.
 */
export class BitReader {
  readonly #bytes: Uint8Array;
  #next: number;
  #current = 0;
  #bitsLeft = 0;
  #loaded = 0;
  #zeros = 0;
  #overrun = false;

  /** @param from first byte to read: 1, after the NAL unit header. */
  constructor(nalUnit: Uint8Array, from = 1) {
    this.#bytes = nalUnit;
    this.#next = from;
  }

  /** True once an element was beyond the end or an invalid code; it and all later ones were read as 0. */
  get overrun(): boolean {
    return this.#overrun;
  }

  /** Number of bits read since the start, without emulation prevention. */
  get position(): number {
    return this.#loaded * 8 - this.#bitsLeft;
  }

  /** u(n): `count` bits, 0 to 32, as an unsigned number. */
  bits(count: number): number {
    let value = 0;
    let wanted = count;
    while (wanted > 0) {
      if (this.#bitsLeft === 0 && !this.#load()) return 0;
      const taken = Math.min(wanted, this.#bitsLeft);
      this.#bitsLeft -= taken;
      // A multiplication, because a shift of 32 bits would be negative.
      value = value * 2 ** taken + ((this.#current >> this.#bitsLeft) & ((1 << taken) - 1));
      wanted -= taken;
    }
    return value;
  }

  /** u(1) as a boolean. */
  flag(): boolean {
    return this.bits(1) === 1;
  }

  /** ue(v): unsigned Exp-Golomb (§9.1). */
  unsigned(): number {
    let zeros = 0;
    while (this.bits(1) === 0) {
      zeros += 1;
      if (zeros > LEADING_ZEROS_MAX) this.#overrun = true;
      if (this.#overrun) return 0;
    }
    const suffix = this.bits(zeros);
    return this.#overrun ? 0 : 2 ** zeros - 1 + suffix;
  }

  /** se(v): signed Exp-Golomb (§9.1.1): 0, 1, −1, 2, −2 … */
  signed(): number {
    const code = this.unsigned();
    if (code === 0) return 0;
    return code % 2 === 1 ? (code + 1) / 2 : -code / 2;
  }

  #load(): boolean {
    if (this.#overrun) return false;
    // After 00 00, a 03 is an emulation prevention byte (§7.4.1).
    if (this.#zeros >= 2 && this.#bytes[this.#next] === 3) {
      this.#next += 1;
      this.#zeros = 0;
    }
    const byte = this.#bytes[this.#next];
    if (byte === undefined) {
      this.#overrun = true;
      return false;
    }
    this.#next += 1;
    this.#loaded += 1;
    this.#zeros = byte === 0 ? this.#zeros + 1 : 0;
    this.#current = byte;
    this.#bitsLeft = 8;
    return true;
  }
}
