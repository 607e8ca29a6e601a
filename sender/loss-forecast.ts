/** A path as Gilbert's two-state chain describes it: every packet in the bad state is lost. */
export interface LossModel {
  /** The share of packets lost, 0 … 1. */
  readonly loss: number;
  /** Mean run of losses in packets; 1 or less than 1/(1 − loss): independent losses. */
  readonly burst: number;
}

/** More states than this are not worth their time; a run so long is as good as endless here. */
const LOST_MAX = 64;

/**
 * The chance that of so many packets, sent one after the other, more than each number is lost: `result[n]` is
 * P(more than n). Exact: the chain's states by the number lost so far, packet by packet.
 *
 * @param lostMax the largest number that is of interest.
 */
export function chancesOfMore(packets: number, { loss, burst }: LossModel, lostMax: number): number[] {
  const most = Math.min(lostMax, LOST_MAX);
  const gilbert = burst * (1 - loss) > 1;
  const leaveBad = gilbert ? 1 / burst : 1 - loss;
  const enterBad = gilbert ? Math.min(1, (loss * leaveBad) / (1 - loss)) : loss;
  // By the number lost: the chance to have lost so many, and that the last one was lost, or not.
  let good = new Float64Array(most + 1);
  let bad = new Float64Array(most + 1);
  good[0] = 1 - loss;
  if (most >= 1) bad[1] = loss;
  for (let packet = 1; packet < packets; packet++) {
    const nextGood = new Float64Array(most + 1);
    const nextBad = new Float64Array(most + 1);
    for (let lost = 0; lost <= Math.min(most, packet); lost++) {
      nextGood[lost]! += good[lost]! * (1 - enterBad) + bad[lost]! * leaveBad;
      if (lost < most) nextBad[lost + 1]! += good[lost]! * enterBad + bad[lost]! * (1 - leaveBad);
    }
    good = nextGood;
    bad = nextBad;
  }
  const chances: number[] = [];
  let atMost = 0;
  for (let lost = 0; lost <= most; lost++) {
    atMost += good[lost]! + bad[lost]!;
    chances.push(Math.max(0, 1 - atMost));
  }
  return chances;
}
