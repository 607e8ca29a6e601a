/** Points of the distribution below; doubling them changes results by less than one thousandth. */
const POINTS = 20_000;
const ROUNDS = 200;
const SETTLED = 1e-12;

/**
 * Actual loss of netem's `loss P ρ`: each draw is x = u(1 − ρ) + x'ρ with the previous draw x', and x below P is a
 * loss. The stationary distribution F solves F(x) = ∫ F((x − (1 − ρ)u)/ρ) du over u = 0 … 1. Solved by iteration from
 * the uniform distribution, with the integral of F as a running sum.
 */
export function correlatedShare(asked: number, correlation: number): number {
  if (correlation === 0) return asked;
  const fresh = 1 - correlation;
  let shares = Float64Array.from({ length: POINTS + 1 }, (_, point) => point / POINTS);
  for (let round = 0; round < ROUNDS; round++) {
    const integral = new Float64Array(POINTS + 1);
    for (let point = 1; point <= POINTS; point++) {
      integral[point] = integral[point - 1]! + (shares[point - 1]! + shares[point]!) / (2 * POINTS);
    }
    /** ∫ F from −∞ to y: F is 0 below 0 and 1 above 1. */
    const upTo = (y: number): number => {
      if (y <= 0) return 0;
      if (y >= 1) return integral[POINTS]! + y - 1;
      const point = Math.floor(y * POINTS);
      const part = y * POINTS - point;
      return integral[point]! + part * (integral[point + 1]! - integral[point]!);
    };
    const next = shares.map((_, point) => {
      const x = point / POINTS;
      return (upTo(x / correlation) - upTo((x - fresh) / correlation)) * (correlation / fresh);
    });
    const moved = next.reduce((most, share, point) => Math.max(most, Math.abs(share - shares[point]!)), 0);
    shares = next;
    if (moved < SETTLED) break;
  }
  return shares[Math.round(asked * POINTS)]!;
}
