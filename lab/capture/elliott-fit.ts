import type { Interval } from '../report/interval.ts';
import { type Maximum, maximize } from './search.ts';

/** A Gilbert–Elliott chain that steps per datagram, with intervals of 95 %. */
export interface ElliottFit {
  readonly enterBad: Interval;
  readonly leaveBad: Interval;
  readonly lossInBad: Interval;
  readonly lossInGood: Interval;
  /** Log-likelihood of the losses. */
  readonly likelihood: number;
}

/** Half the 95 % quantile of χ² with one degree of freedom: the fall of the log-likelihood at an interval's end. */
const FALL = 1.9207;
/** Above this number of runs, intervals are those of a quadratic log-likelihood, which it then nearly is. */
const PROFILE_RUNS_MAX = 12_000;
/** Probabilities beyond these bounds are the bounds, on the logistic scale. */
const LOGIT_MAX = 16;

const logit = (share: number): number => Math.log(share / (1 - share));
const logistic = (x: number): number => 1 / (1 + Math.exp(-Math.max(-LOGIT_MAX, Math.min(LOGIT_MAX, x))));

/** Alternating lengths of received and lost runs; the first one is received and may be 0. */
function runLengths(lost: Uint8Array): Float64Array {
  const lengths: number[] = [];
  let state = 0;
  let length = 0;
  for (const each of lost) {
    if (each !== state) {
      lengths.push(length);
      state = each;
      length = 0;
    }
    length++;
  }
  lengths.push(length);
  return Float64Array.from(lengths);
}

/**
 * Log-likelihood of the runs under a chain, by the forward recursion. A run of m equal outcomes multiplies the state by
 * the m-th power of a 2 × 2 matrix with real eigenvalues, so the cost is that of the runs and not of the datagrams.
 */
function logLikelihood(runs: Float64Array, [p = 0, r = 0, h = 0, k = 0]: readonly number[]): number {
  let good = r / (p + r);
  let bad = p / (p + r);
  let total = 0;
  let isFirst = true;
  for (let index = 0; index < runs.length; index++) {
    let steps = runs[index]!;
    if (steps === 0) continue;
    const inGood = index % 2 === 1 ? k : 1 - k;
    const inBad = index % 2 === 1 ? h : 1 - h;
    if (isFirst) {
      good *= inGood;
      bad *= inBad;
      steps--;
      isFirst = false;
    }
    if (steps > 0) {
      const [a, b, c, d] = [(1 - p) * inGood, p * inBad, r * inGood, (1 - r) * inBad];
      const half = (a + d) / 2;
      const root = Math.sqrt(Math.max(((a - d) / 2) ** 2 + b * c, 1e-300));
      const [large, small] = [half + root, half - root];
      total += steps * Math.log(large);
      const power = (small / large) ** steps;
      const width = large - small;
      // (M − small·I) − power·(M − large·I), divided by the width: M^steps over large^steps.
      const rest = 1 - power;
      const shift = power * large - small;
      const [g, f] = [good, bad];
      good = (g * (a * rest + shift) + f * c * rest) / width;
      bad = (g * b * rest + f * (d * rest + shift)) / width;
    }
    const weight = good + bad;
    if (!(weight > 0)) return Number.NEGATIVE_INFINITY;
    total += Math.log(weight);
    good /= weight;
    bad /= weight;
  }
  return total;
}

/** Fits the four probabilities by maximum likelihood; `undefined` when the search ends at one state. */
export function fitElliott(lost: Uint8Array): ElliottFit | undefined {
  const runs = runLengths(lost);
  const of = (at: readonly number[]): number => logLikelihood(runs, at.map(logistic));
  const share = lost.reduce((sum, each) => sum + each, 0) / lost.length;
  const starts = [
    [0.01, 0.1, 0.5],
    [0.002, 0.02, 0.3],
    [0.02, 0.4, 0.9],
    [0.1, 0.5, 0.3],
  ].map(([p = 0, r = 0, h = 0]) =>
    [p, r, Math.max(h, 1.5 * share), share / 4].map((each) => logit(Math.min(each, 0.99))),
  );
  const found = starts
    .map((start) => maximize(of, start, [0.7, 0.7, 0.7, 0.7], { evaluations: 250 }))
    .reduce((best, each) => (each.value > best.value ? each : best));
  const best = maximize(of, found.at, [0.2, 0.2, 0.2, 0.2], { evaluations: 500 });
  const [p, r, h, k] = best.at.map(logistic) as [number, number, number, number];
  // With the states exchanged, the chain is the same.
  if (h < k)
    return intervals(of, { at: [best.at[1]!, best.at[0]!, best.at[3]!, best.at[2]!], value: best.value }, runs);
  return h - k < 1e-4 || p + r > 1.999 ? undefined : intervals(of, best, runs);
}

function intervals(of: (at: readonly number[]) => number, best: Maximum, runs: Float64Array): ElliottFit {
  const ends = runs.length <= PROFILE_RUNS_MAX ? profileEnds : quadraticEnds;
  const found = best.at.map((x, axis): Interval => {
    const [low, high] = ends(of, best, axis);
    return { value: logistic(x), low: bounded(low), high: bounded(high) };
  });
  const [enterBad, leaveBad, lossInBad, lossInGood] = found as [Interval, Interval, Interval, Interval];
  return { enterBad, leaveBad, lossInBad, lossInGood, likelihood: best.value };
}

/** An end beyond the scale is the whole range. */
const bounded = (x: number): number => (x >= LOGIT_MAX ? 1 : x <= -LOGIT_MAX ? 0 : logistic(x));

/** Ends of the interval of one parameter where the best likelihood of the other three has fallen by `FALL`. */
function profileEnds(of: (at: readonly number[]) => number, best: Maximum, axis: number): [number, number] {
  const others = best.at.filter((_, index) => index !== axis);
  const end = (direction: 1 | -1): number => {
    let start: readonly number[] = others;
    const fallAt = (x: number): number => {
      const at = (rest: readonly number[]) => [...rest.slice(0, axis), x, ...rest.slice(axis)];
      const found = maximize((rest) => of(at(rest)), start, [0.15, 0.15, 0.15], { evaluations: 140, tolerance: 1e-4 });
      start = found.at;
      return best.value - found.value;
    };
    const center = best.at[axis]!;
    let step = 0.1;
    let inside = 0;
    while (fallAt(center + direction * (inside + step)) <= FALL) {
      inside += step;
      step *= 2;
      if (Math.abs(center + direction * inside) > LOGIT_MAX) return direction * LOGIT_MAX;
    }
    let outside = inside + step;
    for (let round = 0; round < 5; round++) {
      const middle: number = (inside + outside) / 2;
      if (fallAt(center + direction * middle) > FALL) outside = middle;
      else inside = middle;
    }
    return center + direction * outside;
  };
  return [end(-1), end(1)];
}

/** Ends from the curvature of the log-likelihood at its maximum. */
function quadraticEnds(of: (at: readonly number[]) => number, best: Maximum, axis: number): [number, number] {
  const reach = 1.96 * Math.sqrt(Math.max(0, covariance(of, best.at)[axis]?.[axis] ?? Infinity));
  return [best.at[axis]! - reach, best.at[axis]! + reach];
}

/** Covariance of the estimates: the inverse of the negative second derivatives, by differences. */
export function covariance(of: (at: readonly number[]) => number, at: readonly number[], step = 0.01): number[][] {
  const moved = (one: number, other: number, byOne: number, byOther: number) =>
    of(at.map((x, index) => x + (index === one ? byOne : 0) + (index === other ? byOther : 0)));
  const curvature = at.map((_, one) =>
    at.map(
      (_other, other) =>
        -(
          moved(one, other, step, step) -
          moved(one, other, step, -step) -
          moved(one, other, -step, step) +
          moved(one, other, -step, -step)
        ) /
        (4 * step * step),
    ),
  );
  return inverse(curvature);
}

/** Inverse by Gauss–Jordan elimination with pivoting; infinite where the matrix is singular. */
function inverse(matrix: readonly (readonly number[])[]): number[][] {
  const size = matrix.length;
  const rows = matrix.map((row, index) => [...row, ...row.map((_, column) => (column === index ? 1 : 0))]);
  for (let column = 0; column < size; column++) {
    const pivot = rows
      .slice(column)
      .reduce((best, row) => (Math.abs(row[column]!) > Math.abs(best[column]!) ? row : best));
    const at = rows.indexOf(pivot);
    [rows[column], rows[at]] = [rows[at]!, rows[column]!];
    const scale = rows[column]![column]!;
    if (Math.abs(scale) < 1e-12) return matrix.map((row) => row.map(() => Number.POSITIVE_INFINITY));
    rows[column] = rows[column]!.map((x) => x / scale);
    for (let row = 0; row < size; row++) {
      if (row === column) continue;
      const factor = rows[row]![column]!;
      rows[row] = rows[row]!.map((x, index) => x - factor * rows[column]![index]!);
    }
  }
  return rows.map((row) => row.slice(size));
}
