import { microseconds } from '../../protocol/base/units.ts';
import type { DelayQuantile } from '../../sim/link/link-values.ts';

/**
 * Delays of the datagrams of a path, ascending, with their weights. On a path that keeps the order, a datagram that
 * waited for the one before it shows only that its own delay was not longer: it is censored from the left.
 */
export interface DelaySample {
  /** Observed delays, microseconds, ascending. */
  readonly delays: Float64Array;
  readonly weights: Float64Array;
  /** Upper bounds of the delays of datagrams that waited, ascending. */
  readonly bounds: Float64Array;
  readonly boundWeights: Float64Array;
  readonly min: number;
  readonly max: number;
  /** Number of observed delays, and of all. */
  readonly observed: number;
  readonly total: number;
  /** Datagrams that could have shown a delay as short as the minimum. */
  readonly open: number;
}

/** Groups of equal size that stand for the delays: the fit's cost, and its resolution of one in a thousand. */
const GROUPS_MAX = 4_000;

/** @param floors for each delay the bound below which it could not have been seen; absent when order is free */
export function delaySample(delays: Float64Array, waited: Uint8Array | undefined, floors?: Float64Array): DelaySample {
  const seen = waited ? delays.filter((_, index) => !waited[index]) : delays.slice();
  const bounds = waited ? delays.filter((_, index) => waited[index] === 1) : new Float64Array(0);
  seen.sort();
  bounds.sort();
  const min = seen[0] ?? 0;
  let open = delays.length;
  if (floors) open = floors.reduce((count, floor) => count + (floor <= min ? 1 : 0), 0);
  const grouped = groups(seen);
  const groupedBounds = groups(bounds);
  return {
    delays: grouped.means,
    weights: grouped.weights,
    bounds: groupedBounds.means,
    boundWeights: groupedBounds.weights,
    min,
    max: seen.at(-1) ?? 0,
    observed: seen.length,
    total: delays.length,
    open: Math.max(1, open),
  };
}

function groups(sorted: Float64Array): { readonly means: Float64Array; readonly weights: Float64Array } {
  const count = Math.min(GROUPS_MAX, sorted.length);
  const means = new Float64Array(count);
  const weights = new Float64Array(count);
  for (let group = 0; group < count; group++) {
    const from = Math.floor((group * sorted.length) / count);
    const until = Math.floor(((group + 1) * sorted.length) / count);
    let sum = 0;
    for (let index = from; index < until; index++) sum += sorted[index]!;
    means[group] = sum / (until - from);
    weights[group] = until - from;
  }
  return { means, weights };
}

/** A distribution function as points: at `delays[i]` it has risen to `shares[i]`. */
export interface DelayDistribution {
  readonly delays: Float64Array;
  readonly shares: Float64Array;
}

/** Distribution of the delays before waiting: the product-limit estimate of Kaplan and Meier, for left censoring. */
export function distributionOf({ delays, weights, bounds, boundWeights, total }: DelaySample): DelayDistribution {
  const shares = new Float64Array(delays.length);
  let share = 1;
  // Datagrams whose delay or bound is at most the present delay.
  let atMost = total;
  let bound = bounds.length - 1;
  for (let index = delays.length - 1; index >= 0; index--) {
    while (bound >= 0 && bounds[bound]! > delays[index]!) atMost -= boundWeights[bound--]!;
    shares[index] = share;
    share *= Math.max(0, 1 - weights[index]! / Math.max(atMost, weights[index]!));
    atMost -= weights[index]!;
  }
  return { delays, shares };
}

/** Largest difference of a distribution from a distribution function (Kolmogorov–Smirnov). */
export function largestDifference({ delays, shares }: DelayDistribution, share: (delay: number) => number): number {
  let most = 0;
  let before = 0;
  for (let index = 0; index < delays.length; index++) {
    const expected = share(delays[index]!);
    // A group stands for delays around its mean, so half of it lies below.
    most = Math.max(most, Math.abs(expected - (shares[index]! + before) / 2));
    before = shares[index]!;
  }
  return most;
}

/** Points of a distribution, so that the line through them is nowhere off by more than `tolerance`. */
export function quantilesOf(
  { delays, shares }: DelayDistribution,
  { tolerance = 0.004, points = 40, min, max }: { tolerance?: number; points?: number; min: number; max: number },
): DelayQuantile[] {
  const xs = [min, ...delays, max];
  const ys = [0, ...shares.map((share, index) => (share + (shares[index - 1] ?? 0)) / 2), 1];
  const chosen = [0, xs.length - 1];
  while (chosen.length < points) {
    let worst = tolerance;
    let at = -1;
    let place = 0;
    for (let segment = 1; segment < chosen.length; segment++) {
      const [from, until] = [chosen[segment - 1]!, chosen[segment]!];
      const width = xs[until]! - xs[from]!;
      for (let index = from + 1; index < until; index++) {
        const line =
          width === 0 ? ys[from]! : ys[from]! + ((ys[until]! - ys[from]!) * (xs[index]! - xs[from]!)) / width;
        const off = Math.abs(line - ys[index]!);
        if (off > worst) [worst, at, place] = [off, index, segment];
      }
    }
    if (at < 0) break;
    chosen.splice(place, 0, at);
  }
  const quantiles: DelayQuantile[] = [];
  for (const index of chosen) {
    const share = index === 0 ? 0 : index === xs.length - 1 ? 1 : Number(ys[index]!.toFixed(5));
    const before = quantiles.at(-1)?.share ?? -1;
    if (share > before && (share < 1 || index === xs.length - 1)) {
      quantiles.push({ share, delay: microseconds(Math.round(xs[index]! - min)) });
    }
  }
  return quantiles;
}
