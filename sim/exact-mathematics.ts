/**
 * Elementary functions built from +, −, × and ÷ only, which IEEE 754 rounds identically everywhere. `Math.log` and
 * `Math.exp` may differ between engines in the last bit, and one bit is enough to change the random path of a seed.
 */

/** An exact constant of the language. */
const LN_2 = Math.LN2;
/** Terms of the series: z is at most 1/3, so the remainder is below 2^−53. */
const LOG_TERMS = 18;

/** Natural logarithm of a positive number; error about 1e-15. */
export function naturalLog(value: number): number {
  let mantissa = value;
  let exponent = 0;
  for (; mantissa < 0.75; mantissa *= 2) exponent--;
  for (; mantissa > 1.5; mantissa /= 2) exponent++;
  // ln m = 2 artanh((m − 1)/(m + 1)).
  const z = (mantissa - 1) / (mantissa + 1);
  let sum = 0;
  for (let term = LOG_TERMS; term >= 0; term--) sum = sum * z * z + 1 / (2 * term + 1);
  return 2 * z * sum + exponent * LN_2;
}

/** e^value for −700 … 700; relative error about 1e-14. */
export function exponential(value: number): number {
  let halvings = 0;
  let reduced = value;
  for (; reduced > 0.5 || reduced < -0.5; reduced /= 2) halvings++;
  let sum = 1;
  for (let term = 16; term > 0; term--) sum = 1 + (sum * reduced) / term;
  for (; halvings > 0; halvings--) sum *= sum;
  return sum;
}
