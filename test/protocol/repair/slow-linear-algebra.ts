/**
 * Oracle of the repair code: GF(2^8) by shifting and subtracting, and equations solved on tables of plain numbers,
 * without window, ring or optimization.
 */

/** Multiplies the polynomials, then takes the remainder by x^8 + x^4 + x^3 + x^2 + 1. */
export function slowMultiply(left: number, right: number): number {
  let product = 0;
  for (let bit = 0; bit < 8; bit++) {
    if ((right >> bit) & 1) product ^= left << bit;
  }
  for (let bit = 14; bit >= 8; bit--) {
    if ((product >> bit) & 1) product ^= 0x11d << (bit - 8);
  }
  return product;
}

export function slowInverse(value: number): number {
  for (let candidate = 1; candidate < 256; candidate++) {
    if (slowMultiply(value, candidate) === 1) return candidate;
  }
  throw new Error('zero has no inverse');
}

/** `coefficients · unknowns = bytes`: a row for each equation, all of the same width and the same length. */
export interface SlowEquation {
  readonly coefficients: readonly number[];
  readonly bytes: readonly number[];
}

/** A table of `slowMultiply`, since the oracle multiplies some million times. */
const SLOW_PRODUCTS = Array.from({ length: 65_536 }, (_, index) => slowMultiply(index >> 8, index & 0xff));
const times = (left: number, right: number): number => SLOW_PRODUCTS[(left << 8) | right]!;

/** Returns the determined unknowns by index; the others remain open. */
export function slowSolve(equations: readonly SlowEquation[], unknowns: number): Map<number, number[]> {
  const rows = equations.map(({ coefficients, bytes }) => [...coefficients, ...bytes]);
  let rank = 0;
  for (let column = 0; column < unknowns; column++) {
    const pivot = rows.findIndex((row, index) => index >= rank && row[column] !== 0);
    if (pivot === -1) continue;
    [rows[rank], rows[pivot]] = [rows[pivot]!, rows[rank]!];
    const inverse = slowInverse(rows[rank]![column]!);
    rows[rank] = rows[rank]!.map((value) => times(value, inverse));
    for (let other = 0; other < rows.length; other++) {
      const factor = rows[other]![column]!;
      if (other === rank || factor === 0) continue;
      rows[other] = rows[other]!.map((value, index) => value ^ times(rows[rank]![index]!, factor));
    }
    rank++;
  }
  const determined = new Map<number, number[]>();
  for (const row of rows) {
    const named = row.slice(0, unknowns).flatMap((value, index) => (value === 0 ? [] : [index]));
    if (named.length === 1) determined.set(named[0]!, row.slice(unknowns));
  }
  return determined;
}
