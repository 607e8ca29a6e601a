import type { ByteSequence } from './byte-sequence.ts';

/** Bytes from `start` (inclusive) to `end` (exclusive). */
export interface ByteRange {
  readonly start: ByteSequence;
  readonly end: ByteSequence;
}

/** Position of a segment's bytes relative to the stream received so far. */
export type SegmentPosition = 'next' | 'beyond-gap' | 'duplicate';

/** Maximum of remembered blocks in Linux (`TCP_NUM_SACKS`); with timestamps, one fewer fits a segment. */
const BLOCKS_MAX = 4;

/** Restores the order of segments, and tracks SACK blocks of data beyond gaps. */
export class ReceiveBuffer {
  /** Sorted, without overlap. */
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

  /** The first missing byte. */
  get next(): ByteSequence {
    return this.#next;
  }

  /** Bytes in memory: beyond a gap, or in order and unread. */
  get bytes(): number {
    return this.#heldBytes + this.#readyBytes;
  }

  get readyBytes(): number {
    return this.#readyBytes;
  }

  get hasGap(): boolean {
    return this.#held.length > 0;
  }

  /**
   * Returns the blocks for the next acknowledgment: a duplicate once (D-SACK, RFC 2883 §4), then the ranges beyond
   * gaps, newest first.
   */
  takeBlocks(count: number): ByteRange[] {
    const blocks = this.#duplicate ? [this.#duplicate, ...this.#blocks] : this.#blocks;
    this.#duplicate = undefined;
    return blocks.slice(0, count);
  }

  /** Accepts bytes that lie within the window. Parts already received are skipped. */
  accept(start: ByteSequence, payload: Uint8Array): SegmentPosition {
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

  /** A FIN occupies one position in the stream. */
  skipFinish(): void {
    this.#next++;
  }

  /** Returns all unread in-order bytes. */
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

  #hold(start: ByteSequence, payload: Uint8Array): SegmentPosition {
    const held = this.#held;
    const end = start + payload.length;
    let index = held.length;
    while (index > 0 && held[index - 1]!.start > start) index--;
    const before = held[index - 1];
    let from = before ? Math.max(start, before.start + before.bytes.length) : start;
    let added = 0;
    // Insert only new parts, between the ranges already held.
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

  /** Updates the SACK blocks: the block with the newest segment comes first (RFC 2018 §4). */
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
