import { asSequence, type Sequence } from '../rtp/sequence.ts';
import { addScaled, scale } from './galois-field.ts';
import { LENGTH_BYTES, WORD_BYTES, wordsFor } from './source-symbols.ts';

export interface EquationOptions {
  /** The packets that can be unknown at the same time; a power of two, at least four. */
  readonly slots: number;
  readonly packetBytesMax: number;
}

/**
 * A sum of unknown symbols and what it comes to: what a repair symbol says once the known packets are taken out.
 * `pivot` is the oldest unknown, and its coefficient is one in an equation that is in a system.
 */
export class Equation {
  pivot: Sequence = asSequence(0);
  /** Length of the longest symbol that can be in the sum: every one in it is zero from there on. */
  symbolBytes = 0;
  /** One for each slot: `sequence & (slots - 1)`. */
  readonly #coefficients: Uint8Array;
  readonly #coefficientWords: Int32Array;
  readonly #symbolWords: Int32Array;
  readonly #symbol: Uint8Array;

  constructor({ slots, packetBytesMax }: EquationOptions) {
    this.#coefficientWords = new Int32Array(slots / WORD_BYTES);
    this.#coefficients = new Uint8Array(this.#coefficientWords.buffer);
    this.#symbolWords = new Int32Array(wordsFor(LENGTH_BYTES + packetBytesMax));
    this.#symbol = new Uint8Array(this.#symbolWords.buffer);
  }

  /** A view, `symbolBytes` long. */
  get symbol(): Uint8Array {
    return this.#symbol.subarray(0, this.symbolBytes);
  }

  /** Nothing unknown, and the sum is `symbol`. */
  reset(symbol: Uint8Array): void {
    this.#coefficientWords.fill(0);
    this.#symbolWords.fill(0);
    this.#symbol.set(symbol);
    this.symbolBytes = symbol.length;
  }

  coefficient(sequence: Sequence): number {
    return this.#coefficients[sequence & (this.#coefficients.length - 1)]!;
  }

  setCoefficient(sequence: Sequence, coefficient: number): void {
    this.#coefficients[sequence & (this.#coefficients.length - 1)] = coefficient;
  }

  /** Takes a known symbol out of the sum. */
  subtract(symbolWords: Int32Array, coefficient: number): void {
    addScaled(this.#symbolWords, symbolWords, coefficient);
  }

  /** `this += coefficient · other`. */
  addEquation(other: Equation, coefficient: number): void {
    addScaled(this.#coefficientWords, other.#coefficientWords, coefficient);
    addScaled(this.#symbolWords, other.#symbolWords.subarray(0, wordsFor(other.symbolBytes)), coefficient);
    this.symbolBytes = Math.max(this.symbolBytes, other.symbolBytes);
  }

  scale(coefficient: number): void {
    scale(this.#coefficientWords, coefficient);
    scale(this.#symbolWords.subarray(0, wordsFor(this.symbolBytes)), coefficient);
  }

  /** The first slot in the order of sequence numbers, `oldest` being where the ring begins, that is not zero. */
  oldestUnknown(oldest: Sequence): Sequence | undefined {
    for (let index = 0; index < this.#coefficients.length; index++) {
      if (this.coefficient(asSequence(oldest + index)) !== 0) return asSequence(oldest + index);
    }
    return undefined;
  }

  /** Only the pivot is unknown. */
  isSolved(): boolean {
    const pivotWord = (this.pivot & (this.#coefficients.length - 1)) >> 2;
    for (let index = 0; index < this.#coefficientWords.length; index++) {
      if (index !== pivotWord && this.#coefficientWords[index] !== 0) return false;
    }
    // The pivot's word holds its coefficient, one, and three others. One bit set in four bytes is that coefficient.
    const word = this.#coefficientWords[pivotWord]!;
    return (word & (word - 1)) === 0;
  }

  /** Nothing is left of the sum: an equation without unknowns that is true. */
  isZero(): boolean {
    return this.#symbolWords.every((word) => word === 0);
  }
}
