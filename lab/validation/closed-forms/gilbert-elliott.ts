/** The two-state path of Gilbert and Elliott: `lossInBad` and `lossInGood` are shares lost (h and k in the vectors). */
export interface GilbertElliottPath {
  readonly enterBad: number;
  readonly leaveBad: number;
  readonly lossInBad: number;
  readonly lossInGood: number;
}

const badShare = ({ enterBad, leaveBad }: GilbertElliottPath): number => enterBad / (enterBad + leaveBad);

/** Long-run share lost. */
export const lossOf = (path: GilbertElliottPath): number =>
  badShare(path) * path.lossInBad + (1 - badShare(path)) * path.lossInGood;

/** Chance that a packet is lost (`first` true) or not, and the next is lost. */
function thenLost(path: GilbertElliottPath, first: boolean): number {
  const { enterBad, leaveBad, lossInBad, lossInGood } = path;
  const bad = badShare(path);
  const from = (loss: number) => (first ? loss : 1 - loss);
  return (
    bad * from(lossInBad) * ((1 - leaveBad) * lossInBad + leaveBad * lossInGood) +
    (1 - bad) * from(lossInGood) * (enterBad * lossInBad + (1 - enterBad) * lossInGood)
  );
}

/** Mean length of a run of losses, packets. */
export const meanRunOf = (path: GilbertElliottPath): number => lossOf(path) / thenLost(path, false);

/** Correlation of the fates of neighbours, −1 … 1. */
export function correlationOf(path: GilbertElliottPath): number {
  const loss = lossOf(path);
  return (thenLost(path, true) - loss * loss) / (loss * (1 - loss));
}

/** The path that each `stride`-th packet sees, as with interleaving: of the same family. */
export function thinned(path: GilbertElliottPath, stride: number): GilbertElliottPath {
  const memory = (1 - path.enterBad - path.leaveBad) ** stride;
  const bad = badShare(path);
  return { ...path, enterBad: bad * (1 - memory), leaveBad: (1 - bad) * (1 - memory) };
}

/** Chance of each number of losses in so many packets, 0 … all, from the stationary state. */
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

/** Chance that a frame of so many packets loses one on Gilbert's path: 1 − π_G(1 − p)^(N−1). */
export const frameHitOnGilbert = (enterBad: number, leaveBad: number, packets: number): number =>
  1 - (leaveBad / (enterBad + leaveBad)) * (1 - enterBad) ** (packets - 1);
