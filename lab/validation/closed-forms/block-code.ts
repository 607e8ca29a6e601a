/** What block codes leave: n packets of which any k are enough. */

/** Chance that of `trials` with the chance `share` each at least `least` come true. */
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
  /** Packets of a block, repair included (n). */
  readonly packets: number;
  /** Source packets of a block (k). */
  readonly source: number;
}

/** Share of blocks that lose more than the code mends, independent losses. */
export const blockFailure = ({ packets, source }: BlockCode, loss: number): number =>
  binomialTail(packets, loss, packets - source + 1);

/** Share of source packets that are missing behind the decoder, systematic code, independent losses. */
export const packetResidual = ({ packets, source }: BlockCode, loss: number): number =>
  loss * binomialTail(packets - 1, loss, packets - source);

/**
 * Share of source packets that are missing where a parity packet follows each `source` packets, on Gilbert's path: a
 * lost source packet is mended if the rest of the block, parity included, came through.
 */
export function parityResidualOnGilbert(source: number, enterBad: number, leaveBad: number): number {
  const packets = source + 1;
  const bad = enterBad / (enterBad + leaveBad);
  const first = bad * leaveBad * (1 - enterBad) ** (packets - 2);
  const others = (source - 1) * (1 - bad) * enterBad * leaveBad * (1 - enterBad) ** (packets - 3);
  return bad - (first + others) / source;
}

/** Parity over rows and columns (SMPTE 2022-1), repair packets lossy too; right up to the fourth power of the loss. */
export const gridResidual = (columns: number, rows: number, loss: number): number =>
  loss ** 3 + ((columns - 1) * (rows - 1) + (columns - 1) + (rows - 1)) * loss ** 4;
