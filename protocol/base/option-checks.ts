/**
 * Checks of option values at the public door. Each returns the value, or throws a `RangeError` that names the option,
 * what was expected, and what was given. `undefined` stands for the default.
 */

interface Range {
  readonly min: number;
  readonly max: number;
}

/** A number of milliseconds, whole or not. */
export function checkMilliseconds(name: string, value: number, { min, max }: Range): number {
  if (typeof value === 'number' && value >= min && value <= max) return value;
  throw refused(name, `milliseconds from ${min} to ${max}`, value);
}

/** A share of 0 … 1. */
export function checkShare(name: string, value: number): number {
  if (typeof value === 'number' && value >= 0 && value <= 1) return value;
  throw refused(name, 'a share from 0 to 1', value);
}

/** A whole number. */
export function checkWhole(name: string, value: number, { min, max }: Range): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw refused(name, `a whole number from ${min} to ${max}`, value);
}

/** One of a few words. */
export function checkChoice<Choice extends string>(name: string, value: Choice, choices: readonly Choice[]): Choice {
  if (choices.includes(value)) return value;
  throw refused(name, `one of ${choices.join(', ')}`, value);
}

function refused(name: string, expected: string, value: unknown): RangeError {
  return new RangeError(`${name}: expected ${expected}, not ${typeof value === 'string' ? `'${value}'` : value}`);
}
