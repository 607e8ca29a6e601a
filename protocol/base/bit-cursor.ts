/** Reads bits of a byte array, the most significant first. Bits beyond the end are 0 and set `overrun`. */
export class BitCursor {
  readonly #bytes: Uint8Array;
  #position: number;

  /** @param from first byte to read. */
  constructor(bytes: Uint8Array, from = 0) {
    this.#bytes = bytes;
    this.#position = from * 8;
  }

  /** True once a bit beyond the end was read. */
  get overrun(): boolean {
    return this.#position > this.#bytes.length * 8;
  }

  /** Returns an unsigned number of `count` bits, 0 to 32. */
  bits(count: number): number {
    let value = 0;
    for (let index = 0; index < count; index++, this.#position++) {
      const byte = this.#bytes[this.#position >> 3] ?? 0;
      value = value * 2 + ((byte >> (7 - (this.#position & 7))) & 1);
    }
    return value;
  }

  flag(): boolean {
    return this.bits(1) === 1;
  }
}
