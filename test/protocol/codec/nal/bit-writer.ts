/** Writes syntax elements, the counterpart of `BitReader`. */
export class BitWriter {
  readonly #bits: number[] = [];

  bits(value: number, count: number): this {
    for (let bit = count - 1; bit >= 0; bit -= 1) this.#bits.push(Math.floor(value / 2 ** bit) % 2);
    return this;
  }

  flag(value: boolean): this {
    return this.bits(value ? 1 : 0, 1);
  }

  unsigned(value: number): this {
    const length = Math.floor(Math.log2(value + 1));
    return this.bits(0, length).bits(value + 1, length + 1);
  }

  signed(value: number): this {
    return this.unsigned(value > 0 ? 2 * value - 1 : -2 * value);
  }

  /** Returns the NAL unit: header byte, the bits and a stop bit, with emulation prevention. */
  nalUnit(header: number): Uint8Array {
    const bits = [...this.#bits, 1];
    const bytes = [header];
    let zeros = 0;
    for (let start = 0; start < bits.length; start += 8) {
      const byte = Array.from({ length: 8 }, (_, bit) => bits[start + bit] ?? 0).reduce((sum, bit) => sum * 2 + bit, 0);
      if (zeros >= 2 && byte <= 3) {
        bytes.push(3);
        zeros = 0;
      }
      bytes.push(byte);
      zeros = byte === 0 ? zeros + 1 : 0;
    }
    return Uint8Array.from(bytes);
  }
}
