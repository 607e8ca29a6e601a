import { RandomStream } from '../../random.ts';

/** Flips one bit in a fraction of the datagrams. The input is not modified. */
export class Corruption {
  readonly #original: RandomStream;
  readonly #copy: RandomStream;
  #share: number;
  #count = 0;

  constructor(share: number, seed: number, direction: string) {
    this.#original = new RandomStream(seed, `${direction}/corrupt`);
    this.#copy = new RandomStream(seed, `${direction}/corrupt-copy`);
    this.#share = share;
  }

  get count(): number {
    return this.#count;
  }

  reconfigure(share: number): void {
    this.#share = share;
  }

  /** Returns datagram `index`, or its duplicate, as it arrives. The two are corrupted independently. */
  pass(index: number, which: 'original' | 'copy', datagram: Uint8Array): Uint8Array {
    if (this.#share === 0 || datagram.length === 0) return datagram;
    const random = which === 'original' ? this.#original : this.#copy;
    if (!random.chance(2 * index, this.#share)) return datagram;
    this.#count++;
    return flipBit(datagram, random.uint32(2 * index + 1));
  }
}

/** Returns a copy with one bit flipped, selected by a 32-bit draw. */
export function flipBit(datagram: Uint8Array, draw: number): Uint8Array {
  const bit = draw % (datagram.length * 8);
  const copy = datagram.slice();
  copy[bit >> 3]! ^= 1 << (bit & 7);
  return copy;
}
