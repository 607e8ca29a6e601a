import type { DelayQuantile } from '../../sim/link/link-values.ts';
import type { Interval } from '../report/interval.ts';
import {
  type DelayDistribution,
  type DelaySample,
  distributionOf,
  largestDifference,
  quantilesOf,
} from './delay-sample.ts';
import { covariance } from './elliott-fit.ts';
import { normalShare } from './normal-share.ts';
import { maximize, rootBetween } from './search.ts';

/** Delays of a path with the distribution that describes them. Times in microseconds; intervals have 95 %. */
export interface DelayFit {
  readonly family: 'constant' | 'uniform' | 'normal' | 'pareto' | 'quantiles';
  /** `jitter=` of the link: range of a uniform, standard deviation of other families; `undefined` for quantiles. */
  readonly jitter: Interval | undefined;
  /** `delay=` of the link on the clocks of the capture: the minimum, or the mean of `normal` and `pareto`. */
  readonly delay: Interval;
  readonly quantiles: readonly DelayQuantile[] | undefined;
  readonly distribution: DelayDistribution;
  /** Largest difference between the measured distribution of the draws and the fitted one. */
  readonly distance: number;
  /** Half width of a band of 95 % around the measured distribution (Dvoretzky, Kiefer and Wolfowitz). */
  readonly band: number;
}

/** Delays that differ by less are one delay: the clocks of captures. */
export const RESOLUTION_US = 20;
/** A family is accepted when it is this near, or as near as chance leaves it. */
const NEAR = 0.01;
/** 95 % quantile of Kolmogorov's distribution, and the one at 99.9 %, beyond which a family is refused. */
const KOLMOGOROV = 1.358;
const KOLMOGOROV_REFUSED = 1.95;

interface Candidate {
  readonly family: 'uniform' | 'normal' | 'pareto';
  readonly jitter: Interval;
  readonly delay: Interval;
  readonly likelihood: number;
  readonly share: (delay: number) => number;
}

export function fitDelay(sample: DelaySample): DelayFit {
  const distribution = distributionOf(sample);
  const band = KOLMOGOROV / Math.sqrt(Math.max(1, sample.observed));
  const range = sample.max - sample.min;
  const minimum = { value: sample.min, low: sample.min - RESOLUTION_US, high: sample.min + RESOLUTION_US };
  if (range <= RESOLUTION_US || sample.observed < DELAYS_MIN) {
    const jitter = { value: 0, low: 0, high: range };
    const fit = { jitter, delay: minimum, quantiles: undefined, distribution, distance: 0, band };
    return { family: 'constant', ...fit };
  }
  const best = [uniform(sample), normal(sample), pareto(sample)].reduce((one, other) =>
    other.likelihood > one.likelihood ? other : one,
  );
  const off = largestDifference(distribution, best.share);
  if (off <= Math.max(NEAR, (band * KOLMOGOROV_REFUSED) / KOLMOGOROV)) {
    const { family, jitter, delay } = best;
    return { family, jitter, delay, quantiles: undefined, distribution, distance: off, band };
  }
  const quantiles = quantilesOf(distribution, { min: sample.min, max: sample.max });
  const fit = { jitter: undefined, delay: minimum, quantiles, distribution, band };
  return { family: 'quantiles', ...fit, distance: largestDifference(distribution, shareOf(quantiles, sample.min)) };
}

/** With fewer delays, no distribution can be told from another. */
const DELAYS_MIN = 50;

/** Distribution function of quantiles that begin at `from`. */
export function shareOf(quantiles: readonly DelayQuantile[], from: number): (delay: number) => number {
  return (delay) => {
    const at = delay - from;
    const next = quantiles.findIndex((point) => point.delay >= at);
    if (next < 0) return 1;
    const to = quantiles[next]!;
    const before = quantiles[next - 1];
    if (!before) return at < to.delay ? 0 : to.share;
    return before.share + ((to.share - before.share) * (at - before.delay)) / Math.max(1e-9, to.delay - before.delay);
  };
}

/** Log-likelihood: the density of each observed delay, and the share below the bound of each that waited. */
function likelihood(sample: DelaySample, density: (x: number) => number, share: (x: number) => number): number {
  let total = 0;
  for (let index = 0; index < sample.delays.length; index++) {
    total += sample.weights[index]! * density(sample.delays[index]!);
  }
  for (let index = 0; index < sample.bounds.length; index++) {
    total += sample.boundWeights[index]! * Math.log(Math.max(1e-300, share(sample.bounds[index]!)));
  }
  return total;
}

/**
 * A uniform distribution ends where the delays end. With n delays that could show the end, the gap to it is exponential
 * with mean range/n; the range has the sum of both gaps.
 */
function uniform(sample: DelaySample): Candidate {
  const { min, max, open, total } = sample;
  const range = max - min;
  // Distribution of the sum of two exponential gaps, in units of the range.
  const below = (gap: number): number =>
    open === total
      ? 1 - Math.exp(-total * gap) * (1 + total * gap)
      : 1 - (total * Math.exp(-open * gap) - open * Math.exp(-total * gap)) / (total - open);
  const gapAt = (share: number) => rootBetween((gap) => below(gap) - share, 0, 60 / open);
  const wider = (gap: number) => range / Math.max(0.01, 1 - gap);
  // Arrivals are whole microseconds, so each end is off by up to one.
  const jitter = { value: wider(1 / open + 1 / total), low: wider(gapAt(0.025)) - 1, high: wider(gapAt(0.975)) + 1 };
  const lowest = (share: number) => min + (jitter.value * Math.log(share)) / open;
  const delay = { value: min - jitter.value / open, low: lowest(0.025) - 1, high: lowest(0.975) + 1 };
  const share = (x: number) => Math.min(1, Math.max(0, (x - delay.value) / jitter.value));
  return { family: 'uniform', jitter, delay, share, likelihood: likelihood(sample, () => -Math.log(range), share) };
}

function normal(sample: DelaySample): Candidate {
  const { center, spread } = moments(sample);
  const of = ([mean = 0, scale = 0]: readonly number[]): number => {
    const deviation = Math.exp(scale);
    const share = (x: number) => normalShare((x - mean) / deviation);
    return likelihood(sample, (x) => -scale - 0.5 * ((x - mean) / deviation) ** 2 - 0.9189385332, share);
  };
  const steps = [spread / 4, 0.2];
  const best = maximize(of, [center, Math.log(spread)], steps, { evaluations: 160 });
  const [mean = 0, scale = 0] = best.at;
  // In units of the spread, so that both steps of the differences are alike.
  const scaled = (at: readonly number[]) => of([mean + at[0]! * spread, at[1]!]);
  const variance = covariance(scaled, [0, scale]);
  const meanReach = 1.96 * spread * Math.sqrt(Math.max(0, variance[0]![0]!));
  const scaleReach = 1.96 * Math.sqrt(Math.max(0, variance[1]![1]!));
  const deviation = Math.exp(scale);
  return {
    family: 'normal',
    delay: { value: mean, low: mean - meanReach, high: mean + meanReach },
    jitter: { value: deviation, low: Math.exp(scale - scaleReach), high: Math.exp(scale + scaleReach) },
    likelihood: best.value,
    share: (x) => normalShare((x - mean) / deviation),
  };
}

/** Standard deviation of a Pareto distribution with exponent 3 and minimum 1, and the distance from it to the mean. */
const PARETO_DEVIATION = Math.sqrt(0.75);
const PARETO_MEAN = 0.5 / PARETO_DEVIATION;

/** netem's heavy-tailed distribution: exponent 3, shifted so that the delay is its mean. It begins at its highest density. */
function pareto(sample: DelaySample): Candidate {
  const { min, open } = sample;
  const { spread } = moments(sample);
  const of = (scale: number) => {
    const jitter = Math.exp(scale);
    const edge = edgeOf(jitter);
    const times = (x: number) => 1 + (PARETO_DEVIATION * Math.max(0, x - edge)) / jitter;
    const density = (x: number) => Math.log(3 * PARETO_DEVIATION) - scale - 4 * Math.log(times(x));
    return likelihood(sample, density, (x) => 1 - times(x) ** -3);
  };
  const edgeOf = (jitter: number) => min - jitter / (3 * PARETO_DEVIATION * open);
  const best = maximize(([scale = 0]) => of(scale), [Math.log(spread)], [0.2], { evaluations: 80 });
  const scale = best.at[0]!;
  const reach = 1.96 * Math.sqrt(Math.max(0, covariance(([x = 0]) => of(x), [scale])[0]![0]!));
  const jitter = Math.exp(scale);
  const edge = edgeOf(jitter);
  const mean = (width: number) => edge + PARETO_MEAN * width;
  const ends = [Math.exp(scale - reach), Math.exp(scale + reach)] as const;
  const share = (x: number) => (x <= edge ? 0 : 1 - (1 + (PARETO_DEVIATION * (x - edge)) / jitter) ** -3);
  return {
    family: 'pareto',
    jitter: { value: jitter, low: ends[0], high: ends[1] },
    delay: { value: mean(jitter), low: mean(ends[0]), high: mean(ends[1]) },
    likelihood: best.value,
    share,
  };
}

/** Median of the observed delays, and a width that a heavy tail does not widen. */
function moments({ delays }: DelaySample): { readonly center: number; readonly spread: number } {
  const at = (share: number) => delays[Math.floor(share * (delays.length - 1))]!;
  return { center: at(0.5), spread: Math.max(1, (at(0.84) - at(0.16)) / 2) };
}
