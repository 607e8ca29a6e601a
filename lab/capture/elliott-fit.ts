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

/** Alternating runs of received and lost datagrams; the first one is received and may be empty. */
interface Runs {
  readonly count: number;
  /** Index of each run's length and outcome in `kinds`. */
  readonly kindOf: Int32Array;
  readonly kinds: readonly { readonly isLost: boolean; readonly length: number }[];
}

function runsOf(lost: Uint8Array): Runs {
  const kindOf: number[] = [];
  const kinds: { isLost: boolean; length: number }[] = [];
  const places = new Map<number, number>();
  let [state, length] = [0, 0];
  const close = (): void => {
    const key = 2 * length + state;
    let place = places.get(key);
    if (place === undefined) {
      place = kinds.push({ isLost: state === 1, length }) - 1;
      places.set(key, place);
    }
    kindOf.push(place);
  };
  for (const each of lost) {
    if (each !== state) {
      close();
      [state, length] = [each, 0];
    }
    length++;
  }
  close();
  return { count: kindOf.length, kindOf: Int32Array.from(kindOf), kinds };
}

/** Below this weight, the state of the recursion is scaled up: far above the least number. */
const WEIGHT_MIN = 1e-200;

/** Probabilities of the chain: Good to Bad, Bad to Good, loss in Bad, loss in Good. */
type Chain = readonly [p: number, r: number, h: number, k: number];

/**
 * Log-likelihood of the runs under a chain, by the forward recursion. A run of m equal outcomes multiplies the state by the
 * m-th power of a 2 × 2 matrix with real eigenvalues, which is computed once for each length. The cost is four products a run.
 */
function logLikelihood({ kindOf, kinds }: Runs, chain: Chain): number {
  const [p, r, h, k] = chain;
  const powers = new Float64Array(4 * kinds.length);
  const logs = new Float64Array(kinds.length);
  for (let kind = 0; kind < kinds.length; kind++) {
    const { isLost, length } = kinds[kind]!;
    logs[kind] = writePower(chain, { isLost, steps: length }, powers.subarray(4 * kind, 4 * kind + 4));
  }
  // The first datagram is drawn in the stationary state, without a step of the chain.
  const start = kinds[kindOf[0]!]!.length > 0 ? 0 : 1;
  const { isLost, length } = kinds[kindOf[start]!]!;
  const matrix = new Float64Array(4);
  let total = writePower(chain, { isLost, steps: length - 1 }, matrix);
  const stationary = [(r / (p + r)) * (isLost ? k : 1 - k), (p / (p + r)) * (isLost ? h : 1 - h)] as const;
  let good = stationary[0] * matrix[0]! + stationary[1] * matrix[2]!;
  let bad = stationary[0] * matrix[1]! + stationary[1] * matrix[3]!;
  for (let run = start + 1; run < kindOf.length; run++) {
    const kind = kindOf[run]!;
    const at = 4 * kind;
    const before = good;
    good = before * powers[at]! + bad * powers[at + 2]!;
    bad = before * powers[at + 1]! + bad * powers[at + 3]!;
    total += logs[kind]!;
    const weight = good + bad;
    if (weight > WEIGHT_MIN) continue;
    if (!(weight > 0)) return Number.NEGATIVE_INFINITY;
    total += Math.log(weight);
    good /= weight;
    bad /= weight;
  }
  const weight = good + bad;
  return weight > 0 ? total + Math.log(weight) : Number.NEGATIVE_INFINITY;
}

/**
 * Writes the matrix of `steps` equal outcomes, over the same power of its larger eigenvalue.
 * @returns the logarithm of that power
 */
function writePower(
  [p, r, h, k]: Chain,
  { isLost, steps }: { readonly isLost: boolean; readonly steps: number },
  into: Float64Array,
): number {
  const inGood = isLost ? k : 1 - k;
  const inBad = isLost ? h : 1 - h;
  const [a, b, c, d] = [(1 - p) * inGood, p * inBad, r * inGood, (1 - r) * inBad];
  const half = (a + d) / 2;
  const root = Math.sqrt(Math.max(((a - d) / 2) ** 2 + b * c, 1e-300));
  const [large, small] = [half + root, half - root];
  const power = (small / large) ** steps;
  const width = large - small;
  // (M − small·I) − power·(M − large·I), divided by the width: M^steps over large^steps.
  const rest = 1 - power;
  const shift = power * large - small;
  into[0] = (a * rest + shift) / width;
  into[1] = (b * rest) / width;
  into[2] = (c * rest) / width;
  into[3] = (d * rest + shift) / width;
  return steps === 0 ? 0 : steps * Math.log(large);
}

/**
 * Fits the four probabilities by maximum likelihood.
 * @param likelihoodMin log-likelihood that the chain must exceed
 * @returns `undefined` when it does not, or when the search ends at one state
 */
export function fitElliott(lost: Uint8Array, likelihoodMin = Number.NEGATIVE_INFINITY): ElliottFit | undefined {
  const runs = runsOf(lost);
  const of = ([p = 0, r = 0, h = 0, k = 0]: readonly number[]): number =>
    logLikelihood(runs, [logistic(p), logistic(r), logistic(h), logistic(k)]);
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
  // The intervals cost ten times as much as the estimate.
  if (best.value <= likelihoodMin) return undefined;
  const [p, r, h, k] = best.at.map(logistic) as [number, number, number, number];
  // With the states exchanged, the chain is the same.
  if (h < k)
    return intervals(of, { at: [best.at[1]!, best.at[0]!, best.at[3]!, best.at[2]!], value: best.value }, runs);
  return h - k < 1e-4 || p + r > 1.999 ? undefined : intervals(of, best, runs);
}

function intervals(of: (at: readonly number[]) => number, best: Maximum, runs: Runs): ElliottFit {
  const ends = runs.count <= PROFILE_RUNS_MAX ? profileEnds : quadraticEnds;
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
