/** Distribution function of the normal distribution, to 1e-7 (Abramowitz and Stegun, 26.2.17). */
export function normalShare(x: number): number {
  const distance = Math.abs(x);
  const t = 1 / (1 + 0.2316419 * distance);
  const polynomial = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const tail = 0.3989422804 * Math.exp((-distance * distance) / 2) * polynomial;
  return x > 0 ? 1 - tail : tail;
}
