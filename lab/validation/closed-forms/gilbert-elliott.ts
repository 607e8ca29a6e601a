/** Two-state path of Gilbert and Elliott; `lossInBad` and `lossInGood` are h and k in the test vectors. */
export interface GilbertElliottPath {
  readonly enterBad: number;
  readonly leaveBad: number;
  readonly lossInBad: number;
  readonly lossInGood: number;
}

const badShare = ({ enterBad, leaveBad }: GilbertElliottPath): number => enterBad / (enterBad + leaveBad);

/** Long-run loss, 0 … 1. */
export const lossOf = (path: GilbertElliottPath): number =>
  badShare(path) * path.lossInBad + (1 - badShare(path)) * path.lossInGood;

/** Probability that a packet is lost (`first` true) or received, and the next one is lost. */
function thenLost(path: GilbertElliottPath, first: boolean): number {
  const { enterBad, leaveBad, lossInBad, lossInGood } = path;
  const bad = badShare(path);
  const from = (loss: number) => (first ? loss : 1 - loss);
  return (
    bad * from(lossInBad) * ((1 - leaveBad) * lossInBad + leaveBad * lossInGood) +
    (1 - bad) * from(lossInGood) * (enterBad * lossInBad + (1 - enterBad) * lossInGood)
  );
}

/** Mean length of a loss burst, packets. */
export const meanRunOf = (path: GilbertElliottPath): number => lossOf(path) / thenLost(path, false);

/** Lag-1 correlation of the fates, −1 … 1. */
export function correlationOf(path: GilbertElliottPath): number {
  const loss = lossOf(path);
  return (thenLost(path, true) - loss * loss) / (loss * (1 - loss));
}

/** The path seen by every `stride`-th packet, as with interleaving; it belongs to the same family. */
export function thinned(path: GilbertElliottPath, stride: number): GilbertElliottPath {
  const memory = (1 - path.enterBad - path.leaveBad) ** stride;
  const bad = badShare(path);
  return { ...path, enterBad: bad * (1 - memory), leaveBad: (1 - bad) * (1 - memory) };
}

/** Probability of each number of losses in `packets` packets, starting in the stationary distribution. */
export function lossCountDistribution(path: GilbertElliottPath, packets: number): number[] {
  const { enterBad, leaveBad, lossInBad, lossInGood } = path;
  let good = [1 - badShare(path)];
  let bad = [badShare(path)];
  for (let packet = 0; packet < packets; packet++) {
    const [nextGood, nextBad] = [new Array<number>(packet + 2).fill(0), new Array<number>(packet + 2).fill(0)];
    for (let losses = 0; losses <= packet; losses++) {
      for (const lost of [0, 1]) {
        const inGood = good[losses]! * (lost ? lossInGood : 1 - lossInGood);
        const inBad = bad[losses]! * (lost ? lossInBad : 1 - lossInBad);
        nextGood[losses + lost]! += inGood * (1 - enterBad) + inBad * leaveBad;
        nextBad[losses + lost]! += inGood * enterBad + inBad * (1 - leaveBad);
      }
    }
    good = nextGood;
    bad = nextBad;
  }
  return good.map((share, losses) => share + bad[losses]!);
}

/** Probability that a frame of `packets` packets has a loss on a Gilbert path: 1 − π_G(1 − p)^(N−1). */
export const frameHitOnGilbert = (enterBad: number, leaveBad: number, packets: number): number =>
  1 - (leaveBad / (enterBad + leaveBad)) * (1 - enterBad) ** (packets - 1);
