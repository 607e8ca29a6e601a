import { assert } from './assert.ts';

/**
 * Initial capacity: small enough for every connection that sends a single byte, large enough for most control messages.
 */
const CAPACITY_MIN = 256;

/**
 * Collects a known number of bytes from chunks of any size. Memory is at most twice the bytes received, whatever length
 * a header announced. Each byte is copied a bounded number of times, however small the chunks are.
 */
export class ByteAccumulator {
  readonly #wanted: number;
  #bytes: Uint8Array = new Uint8Array(0);
  #length = 0;

  constructor(wanted: number) {
    this.#wanted = wanted;
  }

  get length(): number {
    return this.#length;
  }

  /** Allocated memory, bytes. */
  get capacity(): number {
    return this.#bytes.length;
  }

  get missing(): number {
    return this.#wanted - this.#length;
  }

  append(piece: Uint8Array): void {
    const length = this.#length + piece.length;
    assert(length <= this.#wanted, 'appended bytes must not exceed the expected number');
    if (length > this.#bytes.length) {
      const grown = new Uint8Array(Math.min(Math.max(length, this.#bytes.length * 2, CAPACITY_MIN), this.#wanted));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#bytes.set(piece, this.#length);
    this.#length = length;
  }

  /** Returns all bytes. Call once nothing is missing. */
  take(): Uint8Array {
    assert(this.missing === 0, 'all expected bytes must have been appended before they are taken');
    return this.#bytes;
  }
}
