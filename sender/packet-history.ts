import type { Importance } from '../protocol/access-unit.ts';
import { powerOfTwo } from '../protocol/binary-digits.ts';
import type { Instant } from '../protocol/instant.ts';
import type { Sequence } from '../protocol/sequence.ts';

/** A packet that was sent; another one, once it had to make room. */
export interface Kept {
  readonly sequence: Sequence;
  readonly datagram: Uint8Array;
  readonly sentAt: Instant;
  readonly importance: Importance;
  resentAt: Instant | undefined;
}

type Slot = { -readonly [Field in keyof Kept]: Kept[Field] };

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
    const slot = sequence & this.#mask;
    const kept = this.#ring[slot];
    if (kept === undefined) {
      this.#ring[slot] = { sequence, datagram, sentAt, importance, resentAt: undefined };
      return;
    }
    // In place: what lives as long as this is dear to make, and nobody holds what `find` gave from one call to the next.
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
