/** A map that drops the least recently used keys, in two generations: it holds between `size` and twice `size` keys. */
export class RecentMap<Value> {
  readonly #size: number;
  #current = new Map<number, Value>();
  #previous = new Map<number, Value>();

  constructor(size: number) {
    this.#size = size;
  }

  get(key: number): Value | undefined {
    const value = this.#current.get(key);
    if (value !== undefined) return value;
    const older = this.#previous.get(key);
    if (older !== undefined) this.set(key, older);
    return older;
  }

  set(key: number, value: Value): void {
    if (this.#current.size >= this.#size && !this.#current.has(key)) {
      this.#previous = this.#current;
      this.#current = new Map();
    }
    this.#current.set(key, value);
  }
}
