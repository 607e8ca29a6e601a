/** Four frames of 4 Mb/s; small enough for the allocator's own pool. */
const SLAB_BYTES = 65_536;
/** Larger requests get their own buffer, so that little of a slab is wasted. */
const PIECE_BYTES_MAX = SLAB_BYTES / 4;

/**
 * Allocates zeroed pieces of larger buffers, because a buffer costs the same to allocate and to collect for four frames
 * as for one. A slab lives as long as its last piece.
 */
export class BufferSlab {
  #slab = new Uint8Array(0);
  #used = 0;

  /** Returns `bytes` zeroed bytes that no other piece shares. */
  take(bytes: number): Uint8Array {
    if (bytes > PIECE_BYTES_MAX) return new Uint8Array(bytes);
    if (this.#used + bytes > this.#slab.length) {
      this.#slab = new Uint8Array(SLAB_BYTES);
      this.#used = 0;
    }
    const piece = this.#slab.subarray(this.#used, this.#used + bytes);
    this.#used += bytes;
    return piece;
  }
}
