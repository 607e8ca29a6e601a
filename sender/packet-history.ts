import type { Importance } from '../protocol/access-unit.ts';
import { powerOfTwo } from '../protocol/base/binary-digits.ts';
import { type Instant, instant, type Microseconds } from '../protocol/base/units.ts';
import { asSequence, type Sequence } from '../protocol/rtp/sequence.ts';
import type { HistoryBudget } from './history-budget.ts';

/** A packet that was sent; another one, once it had to make room. */
export interface Kept {
  readonly sequence: Sequence;
  readonly datagram: Uint8Array;
  readonly sentAt: Instant;
  readonly importance: Importance;
  resentAt: Instant | undefined;
}

/**
 * What lives for seconds is dear to make and to keep: so a slot is written over in place, and holds not the datagram, one
 * object a packet, but where it lies in the buffer that it shares with its neighbors.
 */
class Slot implements Kept {
  sequence: Sequence = asSequence(Number.NaN);
  sentAt: Instant = instant(0);
  importance: Importance = 'reference';
  resentAt: Instant | undefined;
  #buffer: ArrayBufferLike = NO_BUFFER;
  #offset = 0;
  #length = 0;

  /** A view, made for whoever asks. */
  get datagram(): Uint8Array {
    return new Uint8Array(this.#buffer, this.#offset, this.#length);
  }

  get bytes(): number {
    return this.#length;
  }

  /** Lets go of the buffer, so that it can be collected. */
  clear(): void {
    this.sequence = asSequence(Number.NaN);
    this.#buffer = NO_BUFFER;
    this.#length = 0;
  }

  set datagram(datagram: Uint8Array) {
    this.#buffer = datagram.buffer;
    this.#offset = datagram.byteOffset;
    this.#length = datagram.length;
  }
}

const NO_BUFFER = new ArrayBuffer(0);

export interface PacketHistoryOptions {
  /** Most packets; rounded up to a power of two, at most 32,768 (half the sequence space). */
  readonly packetsMax: number;
  /** How long a packet is kept at most. */
  readonly keptFor: Microseconds;
  /** Most bytes, those of one datagram apart. */
  readonly budget: Pick<HistoryBudget, 'share'>;
}

/** The packets sent of late, by sequence number, for those who ask again. A ring: the oldest makes room. */
export class PacketHistory {
  readonly #options: PacketHistoryOptions;
  readonly #ring: (Slot | undefined)[];
  readonly #mask: number;
  #bytes = 0;
  /** The oldest packet that may still be kept, and the newest. */
  #oldest: Sequence = asSequence(0);
  #newest: Sequence | undefined;

  constructor(options: PacketHistoryOptions) {
    this.#options = options;
    const size = powerOfTwo(Math.min(Math.max(options.packetsMax, 1), 32_768));
    this.#ring = new Array(size).fill(undefined);
    this.#mask = size - 1;
  }

  /** Of the packets that are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  keep(sequence: Sequence, datagram: Uint8Array, sentAt: Instant, importance: Importance = 'reference'): void {
    const place = sequence & this.#mask;
    this.#ring[place] ??= new Slot();
    // In place: nobody holds what `find` gave from one call to the next.
    const kept = this.#ring[place];
    if (this.#newest === undefined) this.#oldest = sequence;
    this.#newest = sequence;
    this.#bytes += datagram.length - kept.bytes;
    kept.sequence = sequence;
    kept.datagram = datagram;
    kept.sentAt = sentAt;
    kept.importance = importance;
    kept.resentAt = undefined;
    this.#trim(sentAt);
  }

  find(sequence: Sequence): Kept | undefined {
    const kept = this.#ring[sequence & this.#mask];
    return kept?.sequence === sequence ? kept : undefined;
  }

  /** Lets go of what is older, or more, than is to be kept; the newest packet always is. */
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
