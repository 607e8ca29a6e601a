import { RandomStream } from '../../random.ts';

/** Flips one bit of some datagrams; what it was given stays as it was. */
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

  /** What arrives of datagram `index`, or of its duplicate, which has a fate of its own. */
  pass(index: number, which: 'original' | 'copy', datagram: Uint8Array): Uint8Array {
    if (this.#share === 0 || datagram.length === 0) return datagram;
    const random = which === 'original' ? this.#original : this.#copy;
    if (!random.chance(2 * index, this.#share)) return datagram;
    this.#count++;
    return flipBit(datagram, random.uint32(2 * index + 1));
  }
}

/** A copy with the bit flipped that a 32-bit draw chooses. */
export function flipBit(datagram: Uint8Array, draw: number): Uint8Array {
  const bit = draw % (datagram.length * 8);
  const copy = datagram.slice();
  copy[bit >> 3]! ^= 1 << (bit & 7);
  return copy;
}
