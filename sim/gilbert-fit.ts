/** Gilbert's model that has the mean and the lag-1 correlation of a recording. */
export interface GilbertFit {
  /** Share lost, as in `loss=`. */
  readonly loss: number;
  /** Mean run of the model in datagrams, as in `burst=`; 1/(1 − loss) where losses are independent. */
  readonly burst: number;
  /** Chance of a step from Good to Bad, 0 … 1. */
  readonly enterBad: number;
  /** Chance of a step from Bad to Good, 0 … 1. */
  readonly leaveBad: number;
  /** Correlation of neighbours in the recording, −1 … 1; the model's is this, or 0 where this is less. */
  readonly correlation: number;
  /** Mean run in the recording. Far from `burst`, two states are no good model of it. */
  readonly observedRun: number;
}

/**
 * Fits Gilbert's model by moments: p = π(1 − ρ) and r = (1 − π)(1 − ρ), with π the share lost and ρ the correlation of
 * neighbours.
 *
 * @param lost a number each datagram, 1 for a lost one, 0 for another.
 * @returns `undefined` where there is nothing to fit: fewer than two datagrams, none lost, or all.
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
  // A negative one would ask for a chain that avoids runs: independent losses are the nearest of the family.
  const memory = Math.max(0, correlation);
  const enterBad = loss * (1 - memory);
  const leaveBad = (1 - loss) * (1 - memory);
  return { loss, burst: 1 / leaveBad, enterBad, leaveBad, correlation, observedRun: losses / runs };
}
