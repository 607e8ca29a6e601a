/** A Gilbert model with the mean loss and the lag-1 correlation of a recording. */
export interface GilbertFit {
  /** Fraction lost, as in `loss=`. */
  readonly loss: number;
  /** Mean burst of the model, datagrams, as in `burst=`; 1/(1 − loss) for independent losses. */
  readonly burst: number;
  /** Probability of a transition from Good to Bad, 0 … 1. */
  readonly enterBad: number;
  /** Probability of a transition from Bad to Good, 0 … 1. */
  readonly leaveBad: number;
  /** Lag-1 correlation of the recording, −1 … 1. The model uses 0 when it is negative. */
  readonly correlation: number;
  /** Mean burst of the recording, datagrams. A value far from `burst` means that two states fit badly. */
  readonly observedRun: number;
}

/**
 * Fits a Gilbert model by moments: p = π(1 − ρ) and r = (1 − π)(1 − ρ), with loss fraction π and lag-1 correlation ρ.
 *
 * @param lost one number per datagram: 1 lost, 0 received.
 * @returns `undefined` when a fit is impossible: fewer than two datagrams, or none or all of them lost.
 */
export function fitGilbert(lost: ArrayLike<number>): GilbertFit | undefined {
  const count = lost.length;
  let losses = 0;
  let runs = 0;
  let pairs = 0;
  for (let index = 0; index < count; index++) {
    if (lost[index] !== 1) continue;
    losses++;
    if (index > 0 && lost[index - 1] === 1) pairs++;
    else runs++;
  }
  if (count < 2 || losses === 0 || losses === count) return undefined;
  const loss = losses / count;
  const correlation = (pairs / (count - 1) - loss * loss) / (loss * (1 - loss));
  // A negative correlation has no chain of this family; independent losses are the nearest.
  const memory = Math.max(0, correlation);
  const enterBad = loss * (1 - memory);
  const leaveBad = (1 - loss) * (1 - memory);
  return { loss, burst: 1 / leaveBad, enterBad, leaveBad, correlation, observedRun: losses / runs };
}
