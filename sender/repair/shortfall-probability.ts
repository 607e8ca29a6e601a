/** Loss of a path as a two-state Gilbert chain: every packet in the bad state is lost. */
export interface PathLoss {
  /** Share of packets lost, 0 … 1. */
  readonly loss: number;
  /** Mean burst length in packets; 1, or less than 1/(1 − loss), for independent losses. */
  readonly burst: number;
}

/**
 * Probability that a group of packets cannot be recovered, by the number of repair packets after it: `result[r]` is the
 * probability that of `packets` + r consecutive packets more than r are lost. Exact: one pass over the packets, with
 * the chain's states by the number lost so far.
 * @param packets 1 or more.
 * @param repairsMax largest number of repair packets to consider.
 */
export function shortfallProbabilities(packets: number, { loss, burst }: PathLoss, repairsMax: number): number[] {
  const gilbert = burst * (1 - loss) > 1;
  const leaveBad = gilbert ? 1 / burst : 1 - loss;
  const enterBad = gilbert ? Math.min(1, (loss * leaveBad) / (1 - loss)) : loss;
  // Probability of each number of losses so far, by whether the last packet was lost.
  const good = new Float64Array(repairsMax + 1);
  const bad = new Float64Array(repairsMax + 1);
  good[0] = 1 - loss;
  if (repairsMax >= 1) bad[1] = loss;
  const chances = packets === 1 ? [shortfall(good, bad, 0)] : [];
  for (let sent = 2; sent <= packets + repairsMax; sent++) {
    // Downwards, so that each state is computed from values before this packet.
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
