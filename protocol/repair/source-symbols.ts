import { assert } from '../assert.ts';
import { readUint16, writeUint16 } from '../big-endian.ts';
import type { Sequence } from '../sequence.ts';

/** Bytes of a source symbol before the packet. */
export const LENGTH_BYTES = 2;

/** Bytes of a word: the arithmetic takes that many at a time. */
export const WORD_BYTES = 4;

export const wordsFor = (bytes: number): number => Math.ceil(bytes / WORD_BYTES);

/** The smallest power of two that is not below `count`. */
export const powerOfTwo = (count: number): number => 2 ** Math.ceil(Math.log2(count));

/**
 * The last packets as source symbols. Datagrams differ in length and symbols in a sum must not, so a symbol carries
 * the packet's length and is padded with zeros to the longest of its window: the ADU Information of RFC 8681 §3.2
 * without the flow's number, as there is one flow.
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |        packet's length        |   RTP packet, whole ...       |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |   ...                                 zeros ...               |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * The packets are copied: a word at a time needs them at word boundaries, which the views of a socket's buffer are
 * not, and a copy costs less than a tenth of one multiplication by a coefficient.
 */
export class SourceSymbols {
  /** Powers of two, so that the slot of a sequence number is its low bits, below zero too. */
  readonly slots: number;
  readonly #slotWords: number;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  /** Whose symbol a slot holds. */
  readonly #sequences: Float64Array;

  /** @param slots how many consecutive packets there is room for; a power of two. */
  constructor({ slots, packetBytesMax }: { readonly slots: number; readonly packetBytesMax: number }) {
    assert(packetBytesMax <= 0xffff, 'the length before a packet has sixteen bits');
    this.slots = slots;
    this.#slotWords = wordsFor(LENGTH_BYTES + packetBytesMax);
    this.#words = new Int32Array(slots * this.#slotWords);
    this.#bytes = new Uint8Array(this.#words.buffer);
    this.#sequences = new Float64Array(slots).fill(Number.NaN);
  }

  slot(sequence: Sequence): number {
    return sequence & (this.slots - 1);
  }

  /** Takes the place of the packet `slots` before it. */
  put(sequence: Sequence, packet: Uint8Array): void {
    const slot = this.slot(sequence);
    const start = slot * this.#slotWords * WORD_BYTES;
    const end = start + LENGTH_BYTES + packet.length;
    assert(end <= start + this.#slotWords * WORD_BYTES, 'no packet is longer than the longest');
    this.#sequences[slot] = sequence;
    writeUint16(this.#bytes, start, packet.length);
    this.#bytes.set(packet, start + LENGTH_BYTES);
    // The rest of the last word belongs to the symbol and would be what the packet before left there.
    this.#bytes.fill(0, end, start + wordsFor(LENGTH_BYTES + packet.length) * WORD_BYTES);
  }

  has(sequence: Sequence): boolean {
    return this.#sequences[this.slot(sequence)] === sequence;
  }

  /** The symbol, its zeros only up to the next word. A view: it holds until another packet takes the slot. */
  words(sequence: Sequence): Int32Array {
    const start = this.slot(sequence) * this.#slotWords;
    return this.#words.subarray(start, start + wordsFor(this.bytes(sequence)));
  }

  /** Length of the symbol without its zeros. */
  bytes(sequence: Sequence): number {
    assert(this.has(sequence), 'only what is held has a length');
    return LENGTH_BYTES + readUint16(this.#bytes, this.slot(sequence) * this.#slotWords * WORD_BYTES);
  }

  /** A view, as with `words`. */
  packet(sequence: Sequence): Uint8Array {
    const start = this.slot(sequence) * this.#slotWords * WORD_BYTES;
    return this.#bytes.subarray(start + LENGTH_BYTES, start + this.bytes(sequence));
  }
}
