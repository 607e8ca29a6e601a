import { asSequence, type Sequence } from '../rtp/sequence.ts';
import { addScaled, scale } from './galois-field.ts';
import { LENGTH_BYTES, WORD_BYTES, wordsFor } from './source-symbols.ts';

export interface EquationOptions {
  /** Maximum number of simultaneous unknowns; a power of two, at least four. */
  readonly slots: number;
  readonly packetBytesMax: number;
}

/**
 * A linear combination of unknown symbols and its value: a repair symbol with the known packets subtracted. `pivot` is
 * the oldest unknown; in an equation of a system its coefficient is one.
 */
export class Equation {
  pivot: Sequence = asSequence(0);
  /** Length of the longest symbol in the sum; all symbols are zero beyond it. */
  symbolBytes = 0;
  /** One coefficient per slot: `sequence & (slots - 1)`. */
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

  /** Resets to an equation without unknowns whose value is `symbol`. */
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

  /** Subtracts a known symbol. */
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

  /** Returns the first unknown in sequence order, where the ring starts at `oldest`. */
  oldestUnknown(oldest: Sequence): Sequence | undefined {
    for (let index = 0; index < this.#coefficients.length; index++) {
      if (this.coefficient(asSequence(oldest + index)) !== 0) return asSequence(oldest + index);
    }
    return undefined;
  }

  /** True when the pivot is the only unknown. */
  isSolved(): boolean {
    const pivotWord = (this.pivot & (this.#coefficients.length - 1)) >> 2;
    for (let index = 0; index < this.#coefficientWords.length; index++) {
      if (index !== pivotWord && this.#coefficientWords[index] !== 0) return false;
    }
    // The pivot's word holds its coefficient, one, and three others; a single bit set in the word is that coefficient.
    const word = this.#coefficientWords[pivotWord]!;
    return (word & (word - 1)) === 0;
  }

  /** True for the trivial equation 0 = 0. */
  isZero(): boolean {
    return this.#symbolWords.every((word) => word === 0);
  }
}
