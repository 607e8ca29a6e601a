import { type DelayFit, fitDelay, RESOLUTION_US, shareOf } from './delay-fit.ts';
import { type DelayDistribution, delaySample, distributionOf, largestDifference, quantilesOf } from './delay-sample.ts';
import type { PathObservation } from './observation.ts';
import type { Reordering } from './reordering.ts';

/** Delays of a path and the order in which it delivers. */
export interface PathDelay extends DelayFit {
  readonly order: 'free' | 'kept';
  /** False when delays vary too little to reorder datagrams at this distance, so that the order cannot be told. */
  readonly isOrderTold: boolean;
  /** Delays of the datagrams on the capture's clocks as they were measured, microseconds. */
  readonly measured: Float64Array;
  /** Correlation of the delays of neighbors, after what the order causes; independent draws have 0. */
  readonly correlation: number;
  /** True when delays depend on each other, so that independent draws repeat their distribution but not their course. */
  readonly isCorrelated: boolean;
}

/** Datagrams that arrived within this time of the one before it may have waited for it, microseconds. */
const WAITED_US = 2;
const CORRELATION_MAX = 0.1;
/** Expected reorderings of independent delays above which their absence means that the path keeps the order. */
const REORDERINGS_MIN = 5;

/** @param left when each datagram left the bottleneck, or was sent */
export function measureDelay(
  { arrived, timed }: PathObservation,
  left: Float64Array,
  { late, isByPlaces, isLate }: Reordering,
): PathDelay | undefined {
  const delays: number[] = [];
  const sentAt: number[] = [];
  const floors: number[] = [];
  let highest = Number.NEGATIVE_INFINITY;
  let received = 0;
  for (let index = 0; index < arrived.length; index++) {
    const at = arrived[index]!;
    if (Number.isNaN(at) || (isByPlaces && isLate[index])) continue;
    if (timed[index]) {
      delays.push(at - left[index]!);
      sentAt.push(left[index]!);
      floors.push(highest - left[index]!);
    }
    highest = Math.max(highest, at);
    received++;
  }
  if (delays.length < 2) return undefined;
  const measured = isByPlaces ? withoutMoved(Float64Array.from(delays)) : Float64Array.from(delays);
  const floor = Float64Array.from(floors);
  const expected = Math.max(
    expectedReorderings(measured, sentAt),
    // Between timed datagrams there are others, at an unknown but on average known distance.
    received * reorderingShare(measured, (sentAt.at(-1)! - sentAt[0]!) / received),
  );
  const keepsOrder = (late === 0 || isByPlaces) && expected >= REORDERINGS_MIN;
  const isOrderTold = late > 0 || keepsOrder;
  const waited = keepsOrder
    ? Uint8Array.from(delays, (delay, index) => (delay - floor[index]! <= WAITED_US ? 1 : 0))
    : undefined;
  const sample = delaySample(measured, waited, keepsOrder ? floor : undefined);
  const fit = fitDelay(sample);
  if (fit.family === 'constant') {
    return { ...fit, order: 'free', isOrderTold: true, measured, correlation: 0, isCorrelated: false };
  }
  const { correlation, pairs } = neighborCorrelation(measured, waited, floor, fit);
  const isCorrelated = Math.abs(correlation) > Math.max(CORRELATION_MAX, 4 / Math.sqrt(Math.max(1, pairs)));
  const order = keepsOrder ? 'kept' : 'free';
  if (!isCorrelated || !keepsOrder) return { ...fit, order, isOrderTold, measured, correlation, isCorrelated };
  // The draws that give the measured delays in order: a delay is at most x when its own draw and those before it are.
  const spacing = (sentAt.at(-1)! - sentAt[0]!) / (sentAt.length - 1);
  const whole = delaySample(measured, undefined);
  const draws = beforeWaiting(distributionOf(whole), spacing);
  const quantiles = quantilesOf(draws, { min: whole.min, max: whole.max });
  return {
    family: 'quantiles',
    jitter: undefined,
    delay: { value: whole.min, low: whole.min, high: whole.min },
    quantiles,
    distribution: draws,
    distance: largestDifference(draws, shareOf(quantiles, whole.min)),
    band: fit.band,
    order,
    isOrderTold,
    measured,
    correlation,
    isCorrelated,
  };
}

/**
 * Delays without those of datagrams that were moved by places but, because of losses, not behind another one. They show when
 * all others have one delay.
 */
function withoutMoved(delays: Float64Array): Float64Array {
  const sorted = delays.slice().sort();
  const usual = sorted[Math.floor(0.98 * sorted.length)]!;
  return usual - sorted[0]! <= RESOLUTION_US ? delays.map((delay) => Math.min(delay, usual)) : delays;
}

/** Share of datagrams at a fixed distance that independent delays would reorder. */
function reorderingShare(delays: Float64Array, distance: number): number {
  let count = 0;
  const shift = Math.max(1, Math.floor(delays.length / 3));
  for (let index = 0; index < delays.length; index++) {
    if (delays[index]! > delays[(index + shift) % delays.length]! + distance) count++;
  }
  return count / delays.length;
}

/** Pairs of neighbors that would change places if their delays were drawn anew, at random from all. */
function expectedReorderings(delays: Float64Array, sentAt: readonly number[]): number {
  let count = 0;
  // Delays of datagrams that are far apart are independent.
  const shift = Math.max(1, Math.floor(delays.length / 2));
  for (let index = 1; index < delays.length; index++) {
    const other = delays[(index + shift) % delays.length]!;
    if (sentAt[index - 1]! + delays[index - 1]! > sentAt[index]! + other) count++;
  }
  return count;
}

/**
 * Correlation of neighbors' positions within their distribution. Where a floor cuts the distribution off, the position
 * is that within the rest, so that independent draws have independent positions.
 */
function neighborCorrelation(
  delays: Float64Array,
  waited: Uint8Array | undefined,
  floors: Float64Array,
  fit: DelayFit,
) {
  const { delays: xs, shares } = fit.distribution;
  const share = (delay: number): number => {
    let [low, high] = [-1, xs.length];
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (xs[middle]! <= delay) low = middle;
      else high = middle;
    }
    return low < 0 ? 0 : shares[low]!;
  };
  let [pairs, sum] = [0, 0];
  let before = Number.NaN;
  for (let index = 0; index < delays.length; index++) {
    let position = Number.NaN;
    if (!waited) position = share(delays[index]!);
    else if (!waited[index]) {
      const below = share(floors[index]!);
      position = below < 1 ? (share(delays[index]!) - below) / (1 - below) : Number.NaN;
    }
    if (!Number.isNaN(position) && !Number.isNaN(before)) {
      pairs++;
      sum += (position - 0.5) * (before - 0.5);
    }
    before = position;
  }
  // The variance of a uniform position is 1/12.
  return { correlation: pairs === 0 ? 0 : (12 * sum) / pairs, pairs };
}

/**
 * Distribution of independent draws that, on a path that keeps the order, give this distribution of delays: with datagrams
 * at a fixed spacing, the delay is at most x with probability F(x)·F(x + spacing)·…, so F(x) = G(x)/G(x + spacing).
 */
function beforeWaiting({ delays, shares }: DelayDistribution, spacing: number): DelayDistribution {
  const draws = new Float64Array(shares.length);
  let later = 0;
  let most = 0;
  for (let index = 0; index < delays.length; index++) {
    while (later < delays.length - 1 && delays[later]! < delays[index]! + spacing) later++;
    most = Math.max(most, Math.min(1, shares[index]! / shares[later]!));
    draws[index] = most;
  }
  return { delays, shares: draws };
}
