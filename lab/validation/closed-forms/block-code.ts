/** Residual loss of block codes: n packets of which any k suffice. */

/** Probability of at least `least` successes in `trials` trials with probability `share` each. */
export function binomialTail(trials: number, share: number, least: number): number {
  if (least <= 0) return 1;
  let sum = 0;
  for (let hits = trials; hits >= least; hits--) {
    sum += choose(trials, hits) * share ** hits * (1 - share) ** (trials - hits);
  }
  return sum;
}

function choose(of: number, taken: number): number {
  let product = 1;
  for (let index = 1; index <= Math.min(taken, of - taken); index++) product *= (of - index + 1) / index;
  return product;
}

export interface BlockCode {
  /** Packets per block, with repair (n). */
  readonly packets: number;
  /** Source packets per block (k). */
  readonly source: number;
}

/** Fraction of blocks with more losses than the code can repair; independent losses. */
export const blockFailure = ({ packets, source }: BlockCode, loss: number): number =>
  binomialTail(packets, loss, packets - source + 1);

/** Fraction of source packets missing after decoding; systematic code, independent losses. */
export const packetResidual = ({ packets, source }: BlockCode, loss: number): number =>
  loss * binomialTail(packets - 1, loss, packets - source);

/**
 * Fraction of source packets missing with one parity packet per `source` packets on a Gilbert path. A lost source
 * packet is repaired if the rest of the block, including parity, was received.
 */
export function parityResidualOnGilbert(source: number, enterBad: number, leaveBad: number): number {
  const packets = source + 1;
  const bad = enterBad / (enterBad + leaveBad);
  const first = bad * leaveBad * (1 - enterBad) ** (packets - 2);
  const others = (source - 1) * (1 - bad) * enterBad * leaveBad * (1 - enterBad) ** (packets - 3);
  return bad - (first + others) / source;
}

/**
 * Residual loss of row and column parity (SMPTE 2022-1) with lossy repair packets; valid up to the fourth power of the
 * loss.
 */
export const gridResidual = (columns: number, rows: number, loss: number): number =>
  loss ** 3 + ((columns - 1) * (rows - 1) + (columns - 1) + (rows - 1)) * loss ** 4;
