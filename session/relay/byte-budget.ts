/** Limit on the bytes held at once by several users. */
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

  /** Reserves bytes. @param bytes negative to release them. */
  hold(bytes: number): void {
    this.#held += bytes;
  }
}
