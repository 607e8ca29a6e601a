/** Coefficients of Lanczos' approximation of the gamma function (g = 7, nine terms), as published by Godfrey. */
const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];

/** Stands for zero in Lentz's method, where a denominator vanishes. */
const TINY = 1e-300;

/** Logarithm of the gamma function, for x ≥ 0.5. */
function logGamma(x: number): number {
  const y = x - 1;
  let sum = LANCZOS[0]!;
  for (let term = 1; term < LANCZOS.length; term++) sum += LANCZOS[term]! / (y + term);
  const base = y + LANCZOS.length - 1.5;
  return 0.5 * Math.log(2 * Math.PI) + (y + 0.5) * Math.log(base) - base + Math.log(sum);
}

/**
 * Regularized incomplete beta function I_x(a, b), by its continued fraction (DLMF 8.17.22) with Lentz's method.
 * @param x 0 … 1, at most (a + 1) / (a + b + 2), where the fraction converges fast.
 */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  const front = Math.exp(
    logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x) - Math.log(a),
  );
  let [value, c, d] = [1, 1, 0];
  for (let step = 0; step <= 400; step++) {
    const m = step >> 1;
    let term = 1;
    if (step > 0) {
      term =
        step % 2 === 0
          ? (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
          : (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    }
    d = 1 + term * d;
    d = 1 / (Math.abs(d) < TINY ? TINY : d);
    c = 1 + term / c;
    if (Math.abs(c) < TINY) c = TINY;
    value *= c * d;
    if (Math.abs(1 - c * d) < 1e-14) break;
  }
  return front * (value - 1);
}

/** Probability that |T| exceeds `t`, for Student's distribution. @param freedom degrees of freedom, at least 1. */
export function studentTail(t: number, freedom: number): number {
  const x = freedom / (freedom + t * t);
  const [a, b] = [freedom / 2, 0.5];
  return x <= (a + 1) / (a + b + 2) ? incompleteBeta(x, a, b) : 1 - incompleteBeta(1 - x, b, a);
}

/**
 * Two-sided quantile of Student's distribution: the t that |T| exceeds with probability `alpha`, by bisection.
 * @param alpha 1e-12 … 1. @param freedom degrees of freedom, at least 1.
 */
export function studentQuantile(alpha: number, freedom: number): number {
  let [low, high] = [0, 1];
  while (studentTail(high, freedom) > alpha) high *= 2;
  for (let step = 0; step < 80; step++) {
    const middle = (low + high) / 2;
    if (studentTail(middle, freedom) > alpha) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
