/** A path as Gilbert's two-state chain describes it: every packet in the bad state is lost. */
export interface PathLoss {
  /** The share of packets lost, 0 … 1. */
  readonly loss: number;
  /** Mean run of losses in packets; 1 or less than 1/(1 − loss): independent losses. */
  readonly burst: number;
}

/**
 * The chance that a group of packets cannot be had whole, for each number of repair packets behind it: `result[r]` is
 * the chance that of `packets` + r packets, sent one after the other, more than r are lost. Exact: the chain's states by
 * the number lost so far, packet by packet, in one pass.
 *
 * @param packets 1 or more.
 * @param repairsMax the largest number of repair packets that is of interest.
 */
export function shortfallProbabilities(packets: number, { loss, burst }: PathLoss, repairsMax: number): number[] {
  const gilbert = burst * (1 - loss) > 1;
  const leaveBad = gilbert ? 1 / burst : 1 - loss;
  const enterBad = gilbert ? Math.min(1, (loss * leaveBad) / (1 - loss)) : loss;
  // By the number lost: the chance to have lost so many, and that the last one was lost, or not.
  const good = new Float64Array(repairsMax + 1);
  const bad = new Float64Array(repairsMax + 1);
  good[0] = 1 - loss;
  if (repairsMax >= 1) bad[1] = loss;
  const chances = packets === 1 ? [shortfall(good, bad, 0)] : [];
  for (let sent = 2; sent <= packets + repairsMax; sent++) {
    // Downwards, so that what a state follows from still is what it was before this packet.
    for (let lost = Math.min(repairsMax, sent); lost >= 0; lost--) {
      const goodBefore = good[lost]!;
      good[lost] = goodBefore * (1 - enterBad) + bad[lost]! * leaveBad;
      bad[lost] = lost === 0 ? 0 : good[lost - 1]! * enterBad + bad[lost - 1]! * (1 - leaveBad);
    }
    if (sent >= packets) chances.push(shortfall(good, bad, sent - packets));
  }
  return chances;
}

function shortfall(good: Float64Array, bad: Float64Array, repairs: number): number {
  let enough = 0;
  for (let lost = 0; lost <= repairs; lost++) enough += good[lost]! + bad[lost]!;
  return Math.max(0, 1 - enough);
}
