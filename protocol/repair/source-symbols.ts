import { assert } from '../base/assert.ts';
import { writeUint16 } from '../base/big-endian.ts';
import type { PacketSource } from '../rtp/packet-source.ts';
import type { Sequence } from '../rtp/sequence.ts';

/** Bytes of the length field in front of the packet. */
export const LENGTH_BYTES = 2;

/** Bytes of a word, the unit of the arithmetic. */
export const WORD_BYTES = 4;

export const wordsFor = (bytes: number): number => Math.ceil(bytes / WORD_BYTES);

/**
 * Recent packets as source symbols. Symbols in a sum must have equal length, so a symbol is the packet's length, the
 * packet, and zeros up to the longest of its window: the ADU Information of RFC 8681 §3.2 without the flow number,
 * since there is one flow.
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |        packet's length        |   RTP packet, whole ...       |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |   ...                                 zeros ...               |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * With little loss, most packets are never part of a sum. Therefore a packet is only retained at first, and copied into
 * a symbol on demand. The copy is needed for word alignment, which views of a socket's buffer do not have, and costs
 * less than a tenth of one multiplication by a coefficient.
 */
export class SourceSymbols {
  /** A power of two, so that the slot of a sequence number is its low bits, also below zero. */
  readonly slots: number;
  readonly #packetBytesMax: number;
  readonly #slotWords: number;
  /** Symbols by slot; allocated by the first one, as a path without loss needs none. */
  #words: Int32Array | undefined;
  /** By slot: the sequence number of its symbol. */
  readonly #sequences: Float64Array;
  readonly #packets: (Uint8Array | PacketSource)[];
  /** By slot: length of the packet. */
  readonly #lengths: Uint16Array;
  /** By slot: 1 when the packet has been copied to `#words`. */
  readonly #copied: Uint8Array;

  /** @param slots number of consecutive packets kept; a power of two. */
  constructor({ slots, packetBytesMax }: { readonly slots: number; readonly packetBytesMax: number }) {
    assert(packetBytesMax <= 0xffff, 'the length of a source packet must fit in 16 bits');
    this.slots = slots;
    this.#packetBytesMax = packetBytesMax;
    this.#slotWords = wordsFor(LENGTH_BYTES + packetBytesMax);
    this.#sequences = new Float64Array(slots).fill(Number.NaN);
    this.#packets = new Array(slots).fill(NO_PACKET);
    this.#lengths = new Uint16Array(slots);
    this.#copied = new Uint8Array(slots);
  }

  slot(sequence: Sequence): number {
    return sequence & (this.slots - 1);
  }

  /**
   * Replaces the packet `slots` before it.
   * @param source retained in place of the packet; without it, the packet itself is, and must not be modified.
   */
  put(sequence: Sequence, packet: Uint8Array, source?: PacketSource): void {
    assert(packet.length <= this.#packetBytesMax, 'a packet must not exceed the agreed maximum length');
    const slot = this.slot(sequence);
    this.#sequences[slot] = sequence;
    this.#packets[slot] = source ?? packet;
    this.#lengths[slot] = packet.length;
    this.#copied[slot] = 0;
  }

  has(sequence: Sequence): boolean {
    return this.#sequences[this.slot(sequence)] === sequence;
  }

  /** Returns the symbol, zero-padded to the next word. A view, valid until another packet takes the slot. */
  words(sequence: Sequence): Int32Array {
    const slot = this.slot(sequence);
    const start = slot * this.#slotWords;
    const words = wordsFor(this.bytes(sequence));
    this.#words ??= new Int32Array(this.slots * this.#slotWords);
    const symbol = this.#words.subarray(start, start + words);
    if (this.#copied[slot] === 0)
      copySymbol(new Uint8Array(symbol.buffer, symbol.byteOffset, symbol.byteLength), this.packet(sequence));
    this.#copied[slot] = 1;
    return symbol;
  }

  /** Length of the symbol without padding. */
  bytes(sequence: Sequence): number {
    assert(this.has(sequence), 'the requested symbol must be held');
    return LENGTH_BYTES + this.#lengths[this.slot(sequence)]!;
  }

  packet(sequence: Sequence): Uint8Array {
    assert(this.has(sequence), 'the requested symbol must be held');
    const packet = this.#packets[this.slot(sequence)]!;
    return packet instanceof Uint8Array ? packet : packet.packet(sequence);
  }
}

function copySymbol(symbol: Uint8Array, packet: Uint8Array): void {
  writeUint16(symbol, 0, packet.length);
  symbol.set(packet, LENGTH_BYTES);
  // Clear the rest of the last word, which belongs to the symbol and may hold bytes of the previous packet.
  symbol.fill(0, LENGTH_BYTES + packet.length);
}

const NO_PACKET = new Uint8Array(0);
