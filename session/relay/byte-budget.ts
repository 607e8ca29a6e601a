/** How many bytes may be held at once by all who share it. */
export class ByteBudget {
  readonly #bytesMax: number;
  #held = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get held(): number {
    return this.#held;
  }

  fits(bytes: number): boolean {
    return this.#held + bytes <= this.#bytesMax;
  }

  /** @param bytes negative: that many are free again. */
  hold(bytes: number): void {
    this.#held += bytes;
  }
}
