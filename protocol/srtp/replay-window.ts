import { assert } from '../base/assert.ts';

/** Default of `REPLAY_WINDOW_PACKETS`: a sixth of a second at 500 Mb/s. RFC 3711 §3.3.2 requires at least 64. */
export const REPLAY_WINDOW_PACKETS = 8_192;

/** Packet indices that were accepted (RFC 3711 §3.3.2). An index below the window counts as accepted. */
export class ReplayWindow {
  readonly #size: number;
  /** One bit for each index of the window, at the index modulo its size. */
  readonly #bits: Uint32Array;
  #highest = -1;

  /** @param packets size of the window, a power of two, at least 64. */
  constructor(packets = REPLAY_WINDOW_PACKETS) {
    assert(packets >= 64, 'the replay window must have at least 64 packets (RFC 3711)');
    assert((packets & (packets - 1)) === 0, 'the size of the replay window must be a power of two');
    this.#size = packets;
    this.#bits = new Uint32Array(packets / 32);
  }

  /** Highest accepted index; -1 before the first. */
  get highest(): number {
    return this.#highest;
  }

  /** True when this index was not accepted before and is not below the window. */
  admits(index: number): boolean {
    if (index > this.#highest) return true;
    if (index <= this.#highest - this.#size) return false;
    const at = index % this.#size;
    return (this.#bits[at >>> 5]! & (1 << (at & 31))) === 0;
  }

  /** Marks an index that `admits` allows; call it once the packet is authenticated. */
  accept(index: number): void {
    if (index > this.#highest) this.#advance(index);
    const at = index % this.#size;
    this.#bits[at >>> 5] = this.#bits[at >>> 5]! | (1 << (at & 31));
  }

  #advance(index: number): void {
    if (index - this.#highest >= this.#size) this.#bits.fill(0);
    else {
      for (let passed = this.#highest + 1; passed < index; passed++) this.#clear(passed);
      this.#clear(index);
    }
    this.#highest = index;
  }

  #clear(index: number): void {
    const at = index % this.#size;
    this.#bits[at >>> 5] = this.#bits[at >>> 5]! & ~(1 << (at & 31));
  }
}
