import { assert } from '../base/assert.ts';
import { asSequence, type Sequence } from '../rtp/sequence.ts';
import { Equation, type EquationOptions } from './equation.ts';
import { inverse } from './galois-field.ts';

export interface EquationSystemOptions extends EquationOptions {
  /**
   * Number of unsolved equations kept. Each costs the memory of a symbol and, for each new one, one addition of a
   * symbol.
   */
  readonly equationsMax: number;
}

/** `contradiction`: the equations are inconsistent. `implied`: linearly dependent on the others. */
export type EquationResult = 'inserted' | 'implied' | 'contradiction';

/**
 * Linear equations in the missing symbols, solved as far as possible after each insertion (RFC 8681 §6.2 leaves the
 * method open). The system is in reduced row echelon form: no equation contains another's pivot. The pivot is the
 * *oldest* unknown of its equation, which makes forgetting cheap: an unknown that is forgotten occurs only in equations
 * with that pivot or an older one, and all of these are dropped.
 *
 * An insertion takes at most 2 · `equationsMax` additions of a symbol, a substitution 3 · `equationsMax`.
 */
export class EquationSystem {
  readonly #equationsMax: number;
  readonly #waiting: Equation[] = [];
  readonly #spare: Equation[];
  #oldest: Sequence = asSequence(Number.NEGATIVE_INFINITY);
  #changed = false;
  #evicted = 0;

  constructor(options: EquationSystemOptions) {
    this.#equationsMax = options.equationsMax;
    // One more for the draft.
    this.#spare = Array.from({ length: options.equationsMax + 1 }, () => new Equation(options));
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Equations evicted because `equationsMax` others were waiting. */
  get evicted(): number {
    return this.#evicted;
  }

  /** Returns an equation to fill in and to pass to `insert` or `discard`. There is one draft at a time. */
  draft(symbol: Uint8Array): Equation {
    const equation = this.#spare.at(-1)!;
    equation.reset(symbol);
    return equation;
  }

  /** The draft's unknowns must all be within `slots` of the oldest one that is not forgotten. */
  insert(draft: Equation): EquationResult {
    assert(draft === this.#spare.at(-1), 'a second draft equation must not exist');
    for (const other of this.#waiting) {
      const coefficient = draft.coefficient(other.pivot);
      if (coefficient !== 0) draft.addEquation(other, coefficient);
    }
    const pivot = draft.oldestUnknown(this.#oldest);
    if (pivot === undefined) return draft.isZero() ? 'implied' : 'contradiction';
    draft.pivot = pivot;
    draft.scale(inverse(draft.coefficient(pivot)));
    for (const other of this.#waiting) {
      const coefficient = other.coefficient(pivot);
      if (coefficient !== 0) other.addEquation(draft, coefficient);
    }
    this.#spare.pop();
    this.#waiting.push(draft);
    this.#changed = true;
    if (this.#waiting.length > this.#equationsMax) this.#evictOldest();
    return 'inserted';
  }

  /** Substitutes an unknown that has become known. `contradiction`: an equation requires another value. */
  substitute(sequence: Sequence, symbolWords: Int32Array, symbolBytes: number): 'consistent' | 'contradiction' {
    let freed: Equation | undefined;
    for (const equation of this.#waiting) {
      const coefficient = equation.coefficient(sequence);
      if (coefficient === 0) continue;
      if (symbolBytes > equation.symbolBytes) return 'contradiction';
      equation.subtract(symbolWords, coefficient);
      equation.setCoefficient(sequence, 0);
      if (equation.pivot === sequence) freed = equation;
      this.#changed = true;
    }
    if (freed === undefined) return 'consistent';
    // At most one, because no other equation contains its pivot. It gets a new pivot after the substitution.
    this.#release(freed);
    return this.insert(freed) === 'contradiction' ? 'contradiction' : 'consistent';
  }

  /** Removes and returns the solved equations, oldest first. Valid until the next draft. */
  takeSolved(): readonly Equation[] {
    if (!this.#changed) return NONE;
    this.#changed = false;
    const solved = this.#waiting.filter((equation) => equation.isSolved());
    for (const equation of solved) this.#release(equation);
    return solved.sort((left, right) => left.pivot - right.pivot);
  }

  /** Forgets everything before `sequence`. */
  forgetBefore(sequence: Sequence): void {
    assert(sequence >= this.#oldest, 'the sequence number must not be older than the window');
    this.#oldest = sequence;
    if (this.#waiting.length === 0) return;
    for (const equation of this.#waiting.filter(({ pivot }) => pivot < sequence)) this.#release(equation);
  }

  clear(): void {
    for (const equation of [...this.#waiting]) this.#release(equation);
  }

  /** Evicts the equation with the oldest unknown: its deadline is the nearest, and it has waited longest. */
  #evictOldest(): void {
    this.#evicted++;
    this.#release(this.#waiting.reduce((oldest, other) => (other.pivot < oldest.pivot ? other : oldest)));
  }

  #release(equation: Equation): void {
    this.#waiting.splice(this.#waiting.indexOf(equation), 1);
    this.#spare.push(equation);
  }
}

const NONE: readonly Equation[] = [];
