import { suggestion } from './nearest-word.ts';

/**
 * Checks of option values in the public API. Each returns the value, or throws a `RangeError` that names the option,
 * the expected range and the value. `undefined` selects the default.
 */

interface Range {
  readonly min: number;
  readonly max: number;
}

/** Checks a number of milliseconds, which may have a fraction. */
export function checkMilliseconds(name: string, value: number, { min, max }: Range): number {
  if (typeof value === 'number' && value >= min && value <= max) return value;
  throw refused(name, `milliseconds from ${min} to ${max}`, value);
}

/** Checks a share of 0 … 1. */
export function checkShare(name: string, value: number): number {
  if (typeof value === 'number' && value >= 0 && value <= 1) return value;
  throw refused(name, 'a share from 0 to 1', value);
}

/** Checks an integer. */
export function checkWhole(name: string, value: number, { min, max }: Range): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw refused(name, `a whole number from ${min} to ${max}`, value);
}

/** Checks for one of the listed values. */
export function checkChoice<Choice extends string>(name: string, value: Choice, choices: readonly Choice[]): Choice {
  if (choices.includes(value)) return value;
  throw refused(name, `one of ${choices.join(', ')}`, value);
}

/** Checks a number in a range, fractions included. @param unit in the plural, such as `microseconds`. */
export function checkNumber(name: string, value: number, unit: string, { min, max }: Range): number {
  if (typeof value === 'number' && value >= min && value <= max) return value;
  throw refused(name, `${unit} from ${min} to ${max}`, value);
}

/** Checks for true or false. */
export function checkBoolean(name: string, value: boolean): boolean {
  if (typeof value === 'boolean') return value;
  throw refused(name, 'true or false', value);
}

/** Checks that every option is known; a misspelled one would be ignored otherwise. */
export function checkKeys(options: object, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null) throw refused('options', 'an object', options);
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) throw new RangeError(`unknown option "${key}": ${suggestion(key, known)}`);
  }
}

/** Returns the error for an option out of its range. */
export function refused(name: string, expected: string, value: unknown): RangeError {
  return new RangeError(`${name}: expected ${expected}, not ${typeof value === 'string' ? `'${value}'` : value}`);
}
