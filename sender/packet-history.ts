import type { Importance } from '../protocol/access-unit.ts';
import type { Instant } from '../protocol/instant.ts';
import type { Sequence } from '../protocol/sequence.ts';

/** A packet that was sent. */
export interface Kept {
  readonly sequence: Sequence;
  readonly datagram: Uint8Array;
  readonly sentAt: Instant;
  readonly importance: Importance;
  resentAt: Instant | undefined;
}

/** The packets sent of late, by sequence number, for those who ask again. A ring: the oldest makes room. */
export class PacketHistory {
  readonly #ring: (Kept | undefined)[];
  readonly #mask: number;

  /** @param packets how many are kept; rounded up to a power of two, at most 32,768 (half the sequence space). */
  constructor(packets: number) {
    const size = 2 ** Math.ceil(Math.log2(Math.min(Math.max(packets, 1), 32_768)));
    this.#ring = new Array(size).fill(undefined);
    this.#mask = size - 1;
  }

  keep(sequence: Sequence, datagram: Uint8Array, sentAt: Instant, importance: Importance = 'reference'): void {
    this.#ring[sequence & this.#mask] = { sequence, datagram, sentAt, importance, resentAt: undefined };
  }

  find(sequence: Sequence): Kept | undefined {
    const kept = this.#ring[sequence & this.#mask];
    return kept?.sequence === sequence ? kept : undefined;
  }
}
