/** Result of a simulation with its uncertainty. */
export interface Estimate {
  readonly estimate: number;
  /** Standard error of the estimate from a hundred batches, valid for correlated samples too. */
  readonly standardError: number;
}

const STRETCHES = 100;

/**
 * Estimates a ratio of sums over batches of one long run.
 *
 * @param trials total number of trials, at least a hundred.
 * @param stretch runs that many further trials, and returns the sums of numerator and denominator.
 */
export function estimateRatio(
  trials: number,
  stretch: (trials: number) => readonly [above: number, below: number],
): Estimate {
  const size = Math.ceil(trials / STRETCHES);
  const sums = Array.from({ length: STRETCHES }, () => stretch(size));
  const above = sums.reduce((sum, each) => sum + each[0], 0);
  const below = sums.reduce((sum, each) => sum + each[1], 0);
  const estimate = above / below;
  // First-order variance of a ratio of sums.
  const squares = sums.reduce((sum, each) => sum + (each[0] - estimate * each[1]) ** 2, 0);
  const standardError = Math.sqrt((squares * STRETCHES) / (STRETCHES - 1)) / below;
  return { estimate, standardError };
}

/** Standard errors of a 99 % interval. */
export const STANDARD_ERRORS_MAX = 2.58;

export const agrees = (predicted: number, { estimate, standardError }: Estimate): boolean =>
  Math.abs(estimate - predicted) <= STANDARD_ERRORS_MAX * standardError;

/** An estimate without random error. */
export const exactly = (estimate: number): Estimate => ({ estimate, standardError: 0 });
