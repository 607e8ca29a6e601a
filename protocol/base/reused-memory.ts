/** Longest piece that is kept: a datagram of an Ethernet path, and some more. */
const PIECE_BYTES = 2_048;
/** Pieces that are kept: a key frame of 75 kB. */
const PIECES_MAX = 64;

/**
 * Pieces of memory that are used again after `release`, so that at steady lengths nothing is allocated or collected. Their
 * content is that of their last use. Longer and further pieces are allocated.
 */
export class ReusedMemory {
  readonly #pieces: Uint8Array[] = [];
  #used = 0;

  /** Returns `bytes` bytes that no other piece shares until `release`. */
  take(bytes: number): Uint8Array {
    if (this.#used === PIECES_MAX || bytes > PIECE_BYTES) return new Uint8Array(bytes);
    const piece = this.#pieces[this.#used];
    if (piece?.length === bytes) {
      this.#used++;
      return piece;
    }
    const resized = new Uint8Array(piece?.buffer ?? new ArrayBuffer(PIECE_BYTES), 0, bytes);
    this.#pieces[this.#used++] = resized;
    return resized;
  }

  /** Ends the use of all pieces. */
  release(): void {
    this.#used = 0;
  }
}
