import { assert } from '../base/assert.ts';
import { asSequence, type Sequence } from '../rtp/sequence.ts';
import { Equation, type EquationOptions } from './equation.ts';
import { inverse } from './galois-field.ts';

export interface EquationSystemOptions extends EquationOptions {
  /** Equations that wait for more. Each costs a symbol of memory and, with each new one, one addition of a symbol. */
  readonly equationsMax: number;
}

/** `contradiction`: the equations cannot all be true. `implied`: it says nothing that is not known. */
export type Insertion = 'inserted' | 'implied' | 'contradiction';

/**
 * Linear equations in the missing symbols, solved as far as they can be after each one (RFC 8681 §6.2 leaves the
 * method open). The system is in reduced row echelon form: no equation holds another's pivot. And a pivot is the
 * *oldest* unknown of its equation, so that forgetting the past is easy and costs nothing: what is forgotten is in
 * no equation but those that it is the pivot of, or that have an older one, and all of these go.
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
    // One more than wait: the one that is being made.
    this.#spare = Array.from({ length: options.equationsMax + 1 }, () => new Equation(options));
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Equations given up because `equationsMax` others were waiting. */
  get evicted(): number {
    return this.#evicted;
  }

  /** An equation to fill in and to give to `insert` or `discard`, one at a time. */
  draft(symbol: Uint8Array): Equation {
    const equation = this.#spare.at(-1)!;
    equation.reset(symbol);
    return equation;
  }

  /** The draft's unknowns must all be within `slots` from the oldest that is not forgotten. */
  insert(draft: Equation): Insertion {
    assert(draft === this.#spare.at(-1), 'one equation is made at a time');
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

  /** An unknown has become known. `contradiction`: an equation says that it is something else. */
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
    // At most one: no other equation holds its pivot. What is left of it is an equation with another oldest unknown.
    this.#release(freed);
    return this.insert(freed) === 'contradiction' ? 'contradiction' : 'consistent';
  }

  /** The equations that name one symbol each, oldest first. They leave the system and are good until the next draft. */
  takeSolved(): readonly Equation[] {
    if (!this.#changed) return NONE;
    this.#changed = false;
    const solved = this.#waiting.filter((equation) => equation.isSolved());
    for (const equation of solved) this.#release(equation);
    return solved.sort((left, right) => left.pivot - right.pivot);
  }

  /** Everything before `sequence` is given up for ever. */
  forgetBefore(sequence: Sequence): void {
    assert(sequence >= this.#oldest, 'the past is not called back');
    this.#oldest = sequence;
    if (this.#waiting.length === 0) return;
    for (const equation of this.#waiting.filter(({ pivot }) => pivot < sequence)) this.#release(equation);
  }

  clear(): void {
    for (const equation of [...this.#waiting]) this.#release(equation);
  }

  /** The oldest unknown has the nearest deadline and has waited longest: nothing has come that names it. */
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
