import type { ByteSequence } from './byte-sequence.ts';

/** Bytes from `start` up to, not including, `end`. */
export interface ByteRange {
  readonly start: ByteSequence;
  readonly end: ByteSequence;
}

/** What a segment's bytes were to the stream. */
export type Placement = 'next' | 'beyond-gap' | 'duplicate';

/** As many as Linux remembers (`TCP_NUM_SACKS`); one less is told beside timestamps. */
const BLOCKS_MAX = 4;

/** Puts segments back in order, and knows what to tell about those beyond a gap. */
export class ReceiveBuffer {
  /** Sorted, and never overlapping. */
  readonly #held: { start: ByteSequence; bytes: Uint8Array }[] = [];
  #heldBytes = 0;
  #ready: Uint8Array[] = [];
  #readyBytes = 0;
  #next: ByteSequence;
  #blocks: ByteRange[] = [];
  #duplicate: ByteRange | undefined;

  constructor(next: ByteSequence) {
    this.#next = next;
  }

  /** The first byte that is missing. */
  get next(): ByteSequence {
    return this.#next;
  }

  /** Bytes that take up memory: beyond a gap, or not read yet. */
  get bytes(): number {
    return this.#heldBytes + this.#readyBytes;
  }

  get readyBytes(): number {
    return this.#readyBytes;
  }

  get hasGap(): boolean {
    return this.#held.length > 0;
  }

  /** Blocks for the next acknowledgment: what came twice, once (RFC 2883 §4), then the gaps' far sides, newest first. */
  takeBlocks(count: number): ByteRange[] {
    const blocks = this.#duplicate ? [this.#duplicate, ...this.#blocks] : this.#blocks;
    this.#duplicate = undefined;
    return blocks.slice(0, count);
  }

  /** Bytes that lie within the window. A part that is known already is skipped. */
  accept(start: ByteSequence, payload: Uint8Array): Placement {
    const end = start + payload.length;
    if (end <= this.#next) {
      this.#duplicate = { start, end };
      return 'duplicate';
    }
    if (start > this.#next) return this.#hold(start, payload);
    this.#makeReady(payload.subarray(this.#next - start));
    this.#closeGap();
    return 'next';
  }

  /** A FIN takes up one place in the stream. */
  skipFinish(): void {
    this.#next++;
  }

  /** Everything that is in order and was not read yet. */
  read(): Uint8Array[] {
    const ready = this.#ready;
    if (ready.length === 0) return ready;
    this.#ready = [];
    this.#readyBytes = 0;
    return ready;
  }

  #makeReady(bytes: Uint8Array): void {
    this.#ready.push(bytes);
    this.#readyBytes += bytes.length;
    this.#next += bytes.length;
  }

  #closeGap(): void {
    let whole = 0;
    for (const { start, bytes } of this.#held) {
      if (start > this.#next) break;
      whole++;
      this.#heldBytes -= bytes.length;
      if (start + bytes.length > this.#next) this.#makeReady(bytes.subarray(this.#next - start));
    }
    if (whole > 0) this.#held.splice(0, whole);
    if (this.#blocks.length > 0) this.#blocks = this.#blocks.filter(({ start }) => start > this.#next);
  }

  #hold(start: ByteSequence, payload: Uint8Array): Placement {
    const held = this.#held;
    const end = start + payload.length;
    let index = held.length;
    while (index > 0 && held[index - 1]!.start > start) index--;
    const before = held[index - 1];
    let from = before ? Math.max(start, before.start + before.bytes.length) : start;
    let added = 0;
    // Only the parts that are new: between what is held already.
    while (from < end) {
      const after = held[index];
      const to = after ? Math.min(end, after.start) : end;
      if (to > from) {
        held.splice(index++, 0, { start: from, bytes: payload.subarray(from - start, to - start) });
        this.#heldBytes += to - from;
        added += to - from;
      }
      if (!after) break;
      from = Math.max(from, after.start + after.bytes.length);
      index++;
    }
    if (added < payload.length) this.#duplicate = { start, end };
    if (added === 0) return 'duplicate';
    this.#remember(start, end);
    return 'beyond-gap';
  }

  /** The block that holds the newest segment comes first (RFC 2018 §4). */
  #remember(start: ByteSequence, end: ByteSequence): void {
    let joined: ByteRange = { start, end };
    const apart: ByteRange[] = [];
    for (const block of this.#blocks) {
      if (block.end < joined.start || block.start > joined.end) apart.push(block);
      else joined = { start: Math.min(block.start, joined.start), end: Math.max(block.end, joined.end) };
    }
    this.#blocks = [joined, ...apart].slice(0, BLOCKS_MAX);
  }
}
