/**
 * Residual loss after retransmission (independent losses, every gap detected). `attempts` is the number of possible
 * retransmissions before the deadline: ⌊(D − δ)/R⌋ with latency D, detection time δ, and one request per round trip R.
 */

/** Fraction of packets lost in the original and in all retransmissions: p^(n+1). */
export const residualLoss = (loss: number, attempts: number): number => loss ** (attempts + 1);

/** Residual loss when requests are lost with probability `requestLoss`: p·(1 − (1 − q)(1 − p))^n. */
export const residualLossWithLostRequests = (loss: number, requestLoss: number, attempts: number): number =>
  loss * (1 - (1 - requestLoss) * (1 - loss)) ** attempts;

/** Probability that all packets of a frame have arrived after `rounds` rounds: (1 − p^(k+1))^N. */
export const frameCompleteWithin = (loss: number, packets: number, rounds: number): number =>
  (1 - residualLoss(loss, rounds)) ** packets;

/** Mean additional round trips of a frame: Σ over k of 1 − (1 − p^(k+1))^N. */
export function meanExtraRounds(loss: number, packets: number): number {
  let sum = 0;
  for (let round = 0; ; round++) {
    const term = 1 - frameCompleteWithin(loss, packets, round);
    if (term < 1e-17) return sum;
    sum += term;
  }
}

export interface TimedOutages {
  /** Fraction of time in outage. */
  readonly badShare: number;
  /** Mean duration of an outage. */
  readonly meanBad: number;
}

/** Probability that a path in outage is in outage after `later` (in the unit of `meanBad`): π_B + π_G·e^(−(λ+μ)τ). */
export function staysBad({ badShare, meanBad }: TimedOutages, later: number): number {
  const leave = 1 / meanBad;
  const enter = (leave * badShare) / (1 - badShare);
  return badShare + (1 - badShare) * Math.exp(-(enter + leave) * later);
}

/**
 * Residual loss of `attempts` retransmissions, one round trip apart, with time-driven outages: π_B·[π_B +
 * π_G·e^(−(λ+μ)R)]^n.
 */
export const residualLossInOutages = (outages: TimedOutages, roundTrip: number, attempts: number): number =>
  outages.badShare * staysBad(outages, roundTrip) ** attempts;
