import { assert } from '../../protocol/base/assert.ts';
import type { ByteSequence } from './byte-sequence.ts';

/** Written, unacknowledged data, in the chunks of the writes. */
export class SendBuffer {
  readonly #pieces: { readonly start: ByteSequence; readonly bytes: Uint8Array }[] = [];
  #head = 0;
  #start: ByteSequence;
  #end: ByteSequence;

  /** @param start position of the first byte. */
  constructor(start: ByteSequence) {
    this.#start = start;
    this.#end = start;
  }

  /** Position after the last written byte. */
  get end(): ByteSequence {
    return this.#end;
  }

  get length(): number {
    return this.#end - this.#start;
  }

  /** Appends bytes. The buffer takes ownership. */
  write(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#pieces.push({ start: this.#end, bytes });
    this.#end += bytes.length;
  }

  /** Returns a view when the range lies in one chunk, else a copy. */
  read(from: ByteSequence, to: ByteSequence): Uint8Array {
    assert(from >= this.#start && to <= this.#end, 'the bytes read must be unacknowledged');
    let index = this.#find(from);
    const first = this.#pieces[index];
    if (first === undefined || from === to) return new Uint8Array(0);
    if (to <= first.start + first.bytes.length) return first.bytes.subarray(from - first.start, to - first.start);
    const copy = new Uint8Array(to - from);
    for (let at = from; at < to; index++) {
      const { start, bytes } = this.#pieces[index]!;
      const piece = bytes.subarray(at - start, Math.min(bytes.length, to - start));
      copy.set(piece, at - from);
      at += piece.length;
    }
    return copy;
  }

  /** Releases the bytes before `until`, which have been acknowledged. */
  release(until: ByteSequence): void {
    this.#start = Math.min(Math.max(until, this.#start), this.#end);
    for (let piece = this.#pieces[this.#head]; piece; piece = this.#pieces[this.#head]) {
      if (piece.start + piece.bytes.length > this.#start) break;
      this.#head++;
    }
    if (this.#head < 64 || this.#head * 2 < this.#pieces.length) return;
    this.#pieces.splice(0, this.#head);
    this.#head = 0;
  }

  #find(sequence: ByteSequence): number {
    let low = this.#head;
    let high = this.#pieces.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#pieces[middle]!.start <= sequence) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
