import type { FuzzInput } from './fuzz-input.ts';
import type { StepMutation } from './mutate-input.ts';

/**
 * Part of the program that takes untrusted input. `run` throws when a property does not hold; malformed input is data
 * and no reason to throw.
 */
export interface FuzzTarget {
  readonly name: string;
  /** Inputs that real sessions and files consist of. */
  seeds(): readonly FuzzInput[];
  readonly mutate: StepMutation;
  run(input: FuzzInput, observed: Observed): void | Promise<void>;
}

/** Opens a feature that comes from a text. Texts may contain input bytes, so their number is bounded. */
export const REASON = 'reason: ';

/**
 * Observed behaviour of the target: kinds of events, reasons, magnitudes of counters. An input that does something new
 * is kept, and mutated further.
 */
export class Observed {
  readonly #features = new Set<string>();
  #work = 0;

  /** Steps that an input made the target take, such as timeouts: what it costs, the same on every machine. */
  get work(): number {
    return this.#work;
  }

  spend(steps: number): void {
    this.#work += steps;
  }

  get features(): ReadonlySet<string> {
    return this.#features;
  }

  see(feature: string): void {
    this.#features.add(feature);
  }

  /** A failure reason, normalized: quoted text and numbers are ignored. */
  reason(text: string): void {
    const kind = text.slice(0, 400).replaceAll(/'[^']*'|"[^"]*"|[0-9]+/g, '#');
    this.#features.add(`${REASON}${kind.slice(0, 100)}`);
  }

  /** A counter, by its magnitude: 0, 1, 2–3, 4–7, … */
  count(name: string, value: number): void {
    this.#features.add(`${name}:${value <= 0 ? 0 : 1 + Math.floor(Math.log2(value))}`);
  }

  clear(): void {
    this.#work = 0;
    this.#features.clear();
  }
}

/** A property that did not hold. */
export class PropertyViolation extends Error {
  override readonly name = 'PropertyViolation';
}

export function hold(condition: boolean, property: string): asserts condition {
  if (!condition) throw new PropertyViolation(property);
}
