import type { Importance } from '../protocol/access-unit.ts';
import { powerOfTwo } from '../protocol/base/binary-digits.ts';
import { type Instant, instant, type Microseconds } from '../protocol/base/units.ts';
import type { PacketSource } from '../protocol/rtp/packet-source.ts';
import { asSequence, type Sequence } from '../protocol/rtp/sequence.ts';
import type { HistoryBudget } from './history-budget.ts';

/** A packet in the history. The same object holds another packet after it is overwritten. */
export interface Kept {
  readonly sequence: Sequence;
  /** The packet; from a source it is a copy, made on each access. */
  readonly datagram: Uint8Array;
  /** Length of the datagram, bytes. */
  readonly bytes: number;
  readonly sentAt: Instant;
  readonly importance: Importance;
  resentAt: Instant | undefined;
}

/**
 * A reusable slot. Objects that live for seconds are expensive to allocate and retain, so a slot is overwritten in
 * place and stores the datagram's range in a shared buffer rather than a view.
 */
class Slot implements Kept {
  sequence: Sequence = asSequence(Number.NaN);
  sentAt: Instant = instant(0);
  importance: Importance = 'reference';
  resentAt: Instant | undefined;
  #buffer: ArrayBufferLike = NO_BUFFER;
  #offset = 0;
  #length = 0;
  #source: PacketSource | undefined;

  /** Creates a view, or the packet, on each access. */
  get datagram(): Uint8Array {
    if (this.#source) return this.#source.packet(this.sequence);
    return new Uint8Array(this.#buffer, this.#offset, this.#length);
  }

  get bytes(): number {
    return this.#length;
  }

  /** Releases the buffer for collection. */
  clear(): void {
    this.sequence = asSequence(Number.NaN);
    this.#buffer = NO_BUFFER;
    this.#source = undefined;
    this.#length = 0;
  }

  /** @param source retained in place of the datagram. */
  hold(datagram: Uint8Array, source: PacketSource | undefined): void {
    this.#source = source;
    this.#buffer = source ? NO_BUFFER : datagram.buffer;
    this.#offset = source ? 0 : datagram.byteOffset;
    this.#length = datagram.length;
  }
}

const NO_BUFFER = new ArrayBuffer(0);

export interface PacketHistoryOptions {
  /** Maximum number of packets; rounded up to a power of two, at most 32,768 (half the sequence space). */
  readonly packetsMax: number;
  /** Longest time that a packet is kept. */
  readonly keptFor: Microseconds;
  /** Byte limit; the newest datagram may exceed it. */
  readonly budget: Pick<HistoryBudget, 'share'>;
}

/** Initial length of the ring, packets: 2.5 s of 4 Mb/s. A power of two. */
const RING_MIN = 1_024;

/**
 * Recently sent packets by sequence number, for retransmission. A ring, doubled while it has no room for all packets to be
 * kept: a new packet replaces the oldest.
 */
export class PacketHistory {
  readonly #options: PacketHistoryOptions;
  readonly #ringMax: number;
  #ring: (Slot | undefined)[];
  #mask: number;
  #bytes = 0;
  /** Bounds of the kept packets, oldest and newest. */
  #oldest: Sequence = asSequence(0);
  #newest: Sequence | undefined;

  constructor(options: PacketHistoryOptions) {
    this.#options = options;
    this.#ringMax = powerOfTwo(Math.min(Math.max(options.packetsMax, 1), 32_768));
    const size = Math.min(this.#ringMax, RING_MIN);
    this.#ring = new Array(size).fill(undefined);
    this.#mask = size - 1;
  }

  /** Total size of the kept packets. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @param source retained in place of the datagram. */
  keep(
    sequence: Sequence,
    datagram: Uint8Array,
    sentAt: Instant,
    importance: Importance = 'reference',
    source?: PacketSource,
  ): void {
    if (sequence - this.#oldest >= this.#ring.length && this.#ring.length < this.#ringMax)
      this.#makeRoom(sequence, sentAt);
    const place = sequence & this.#mask;
    this.#ring[place] ??= new Slot();
    // Overwrite in place: results of `find` are not held between calls.
    const kept = this.#ring[place];
    if (this.#newest === undefined) this.#oldest = sequence;
    this.#newest = sequence;
    this.#bytes += datagram.length - kept.bytes;
    kept.sequence = sequence;
    kept.hold(datagram, source);
    kept.sentAt = sentAt;
    kept.importance = importance;
    kept.resentAt = undefined;
    this.#trim(sentAt);
  }

  find(sequence: Sequence): Kept | undefined {
    const kept = this.#ring[sequence & this.#mask];
    return kept?.sequence === sequence ? kept : undefined;
  }

  /** Drops what need not be kept, and doubles the ring until this packet replaces none that has to be. */
  #makeRoom(sequence: Sequence, now: Instant): void {
    if (this.#newest === undefined) return;
    this.#trim(now);
    while (sequence - this.#oldest >= this.#ring.length && this.#ring.length < this.#ringMax) {
      const slots = this.#ring;
      this.#ring = new Array(2 * slots.length).fill(undefined);
      this.#mask = this.#ring.length - 1;
      for (const slot of slots) {
        // A slot that was cleared has no place of its own.
        if (slot && !Number.isNaN(slot.sequence)) this.#ring[slot.sequence & this.#mask] = slot;
      }
    }
  }

  /** Drops packets that are too old or exceed the byte limit; always keeps the newest. */
  #trim(now: Instant): void {
    const { keptFor, budget } = this.#options;
    const bytesMax = budget.share;
    while (this.#oldest < this.#newest!) {
      const slot = this.#ring[this.#oldest & this.#mask];
      if (slot?.sequence === this.#oldest) {
        if (this.#bytes <= bytesMax && now - slot.sentAt <= keptFor) return;
        this.#bytes -= slot.bytes;
        slot.clear();
      }
      this.#oldest++;
    }
  }
}
