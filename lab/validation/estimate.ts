/** What a simulation measured, and how sure it is. */
export interface Estimate {
  readonly estimate: number;
  /** Of the estimate, by the spread of a hundred stretches: right also where neighbours are alike. */
  readonly standardError: number;
}

const STRETCHES = 100;

/**
 * Estimates a ratio of sums over stretches of one long run.
 *
 * @param trials in all; at least a hundred.
 * @param stretch runs so many trials more and gives the sums above and below the line.
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
  // The ratio of sums, to first order: what each stretch adds beyond its share.
  const squares = sums.reduce((sum, each) => sum + (each[0] - estimate * each[1]) ** 2, 0);
  const standardError = Math.sqrt((squares * STRETCHES) / (STRETCHES - 1)) / below;
  return { estimate, standardError };
}

/** 99 % of fair runs lie within. */
export const STANDARD_ERRORS_MAX = 2.58;

export const agrees = (predicted: number, { estimate, standardError }: Estimate): boolean =>
  Math.abs(estimate - predicted) <= STANDARD_ERRORS_MAX * standardError;

/** Something that no chance is in. */
export const exactly = (estimate: number): Estimate => ({ estimate, standardError: 0 });
