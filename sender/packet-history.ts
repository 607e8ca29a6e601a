import type { Importance } from '../protocol/access-unit.ts';
import { powerOfTwo } from '../protocol/base/binary-digits.ts';
import type { Instant } from '../protocol/base/instant.ts';
import type { Sequence } from '../protocol/rtp/sequence.ts';

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
  sequence: Sequence = Number.NaN;
  sentAt: Instant = 0;
  importance: Importance = 'reference';
  resentAt: Instant | undefined;
  #buffer: ArrayBufferLike = NO_BUFFER;
  #offset = 0;
  #length = 0;

  /** A view, made for whoever asks. */
  get datagram(): Uint8Array {
    return new Uint8Array(this.#buffer, this.#offset, this.#length);
  }

  set datagram(datagram: Uint8Array) {
    this.#buffer = datagram.buffer;
    this.#offset = datagram.byteOffset;
    this.#length = datagram.length;
  }
}

const NO_BUFFER = new ArrayBuffer(0);

/** The packets sent of late, by sequence number, for those who ask again. A ring: the oldest makes room. */
export class PacketHistory {
  readonly #ring: (Slot | undefined)[];
  readonly #mask: number;

  /** @param packets how many are kept; rounded up to a power of two, at most 32,768 (half the sequence space). */
  constructor(packets: number) {
    const size = powerOfTwo(Math.min(Math.max(packets, 1), 32_768));
    this.#ring = new Array(size).fill(undefined);
    this.#mask = size - 1;
  }

  keep(sequence: Sequence, datagram: Uint8Array, sentAt: Instant, importance: Importance = 'reference'): void {
    const place = sequence & this.#mask;
    this.#ring[place] ??= new Slot();
    // In place: nobody holds what `find` gave from one call to the next.
    const kept = this.#ring[place];
    kept.sequence = sequence;
    kept.datagram = datagram;
    kept.sentAt = sentAt;
    kept.importance = importance;
    kept.resentAt = undefined;
  }

  find(sequence: Sequence): Kept | undefined {
    const kept = this.#ring[sequence & this.#mask];
    return kept?.sequence === sequence ? kept : undefined;
  }
}
