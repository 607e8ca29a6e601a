/** Four frames of 4 Mb/s, and small enough to come from the allocator's own store rather than from the system. */
const SLAB_BYTES = 65_536;
/** What is larger gets a buffer of its own, so that little of a slab is left over. */
const PIECE_BYTES_MAX = SLAB_BYTES / 4;

/**
 * Zeroed pieces of larger buffers: what a buffer costs to make, and the collector to free, is the same for a frame as for
 * four of them. A slab lives as long as the last of its pieces.
 */
export class BufferSlab {
  #slab = new Uint8Array(0);
  #used = 0;

  /** @param bytes how many the piece has. Its bytes are zero and nobody else's. */
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
