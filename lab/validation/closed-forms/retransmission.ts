/**
 * What retransmission leaves (independent losses, every gap noticed). `attempts` is how often a packet can be sent again
 * before its deadline: ⌊(D − δ)/R⌋ with the latency D, the time δ to notice the gap, and a request each round trip R.
 */

/** Share of packets that neither the original nor any repetition brings: p^(n+1). */
export const residualLoss = (loss: number, attempts: number): number => loss ** (attempts + 1);

/** The same where a request is lost with the chance `requestLoss`: p·(1 − (1 − q)(1 − p))^n. */
export const residualLossWithLostRequests = (loss: number, requestLoss: number, attempts: number): number =>
  loss * (1 - (1 - requestLoss) * (1 - loss)) ** attempts;

/** Mean number of times that a packet is sent: (1 − p^(n+1))/(1 − p). */
export const meanTransmissions = (loss: number, attempts: number): number =>
  (1 - residualLoss(loss, attempts)) / (1 - loss);

/** Chance that all packets of a frame are there after so many rounds: (1 − p^(k+1))^N. */
export const frameCompleteWithin = (loss: number, packets: number, rounds: number): number =>
  (1 - residualLoss(loss, rounds)) ** packets;

/** Mean number of round trips by which a frame of so many packets comes later: Σ over k of 1 − (1 − p^(k+1))^N. */
export function meanExtraRounds(loss: number, packets: number): number {
  let sum = 0;
  for (let round = 0; ; round++) {
    const term = 1 - frameCompleteWithin(loss, packets, round);
    if (term < 1e-17) return sum;
    sum += term;
  }
}

export interface TimedOutages {
  /** Share of the time in which nothing comes through. */
  readonly badShare: number;
  /** Mean length of such a time. */
  readonly meanBad: number;
}

/** Chance that a path that is bad now is bad a time later (same unit as `meanBad`): π_B + π_G·e^(−(λ+μ)τ). */
export function staysBad({ badShare, meanBad }: TimedOutages, later: number): number {
  const leave = 1 / meanBad;
  const enter = (leave * badShare) / (1 - badShare);
  return badShare + (1 - badShare) * Math.exp(-(enter + leave) * later);
}

/** What `attempts` repetitions a round trip apart leave where loss comes in times: π_B·[π_B + π_G·e^(−(λ+μ)R)]^n. */
export const residualLossInOutages = (outages: TimedOutages, roundTrip: number, attempts: number): number =>
  outages.badShare * staysBad(outages, roundTrip) ** attempts;
