/** Initial length: a hostile capture has a source, with several columns, for each packet. */
const LENGTH_MIN = 16;

/** Numbers in a typed array that grows: eight bytes each, where an array of numbers needs more. */
export class GrowingColumn {
  #values = new Float64Array(LENGTH_MIN);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const grown = new Float64Array(this.#values.length * 2);
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[this.#length++] = value;
  }

  /** The values so far; a view that is valid until the next `push`. */
  values(): Float64Array {
    return this.#values.subarray(0, this.#length);
  }
}
