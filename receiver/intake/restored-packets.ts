import type { Sequence } from '../../protocol/rtp/sequence.ts';

/** Packets remembered: those between two paths whose delays differ by a quarter of a second, at 38 Mb/s. */
const REMEMBERED = 1_024;

/**
 * Packets that a repair packet or a retransmission restored. Where a stream comes by several paths, the original may
 * arrive after that, by the slower path: it was not lost.
 */
export class RestoredPackets {
  readonly #recent = new Set<Sequence>();

  add(sequence: Sequence): void {
    this.#recent.add(sequence);
    if (this.#recent.size > REMEMBERED) this.#recent.delete(this.#recent.keys().next().value!);
  }

  /** @returns true once for a packet that was restored. */
  take(sequence: Sequence): boolean {
    return this.#recent.delete(sequence);
  }
}
