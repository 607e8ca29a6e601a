import { interval } from '../point.ts';
import type { PeerOutcome } from './outcome.ts';

/** One recorded run of a program. */
export interface PeerRun {
  readonly point: string;
  readonly peer: string;
  readonly seed: number;
  readonly outcome: PeerOutcome;
}

/** Result of a program at a point, pooled over seeds. */
export interface Standing {
  readonly peer: string;
  readonly runs: number;
  readonly frames: number;
  /** Frames never complete. */
  readonly lost: number;
  /** Frames complete but late. */
  readonly late: number;
  /** Fraction of frames lost or late, 0 … 1, with Wilson's 95 % interval over the pooled frames. */
  readonly missed: { readonly share: number; readonly low: number; readonly high: number };
  /** Mean over runs, and half-width of Student's 95 % interval; `undefined` for a single run. */
  readonly overhead: { readonly mean: number; readonly reach?: number };
  /** Means of the runs' percentiles, milliseconds; `undefined` without output. */
  readonly delayMs?: { readonly p50: number; readonly p99: number };
}

/** Results of all programs that ran at a point, in order. */
export function standingsOf(runs: readonly PeerRun[], point: string, peers: readonly string[]): Standing[] {
  return peers.flatMap((peer) => {
    const outcomes = runs.filter((run) => run.point === point && run.peer === peer).map(({ outcome }) => outcome);
    return outcomes.length === 0 ? [] : [standing(peer, outcomes)];
  });
}

function standing(peer: string, outcomes: readonly PeerOutcome[]): Standing {
  const frames = sum(outcomes.map((outcome) => outcome.frames));
  const lost = sum(outcomes.map((outcome) => outcome.lost));
  const late = sum(outcomes.map((outcome) => outcome.late));
  const delays = outcomes.flatMap(({ delayMs }) => (delayMs ? [delayMs] : []));
  return {
    peer,
    runs: outcomes.length,
    frames,
    lost,
    late,
    missed: { share: (lost + late) / frames, ...interval(lost + late, frames) },
    overhead: meanOf(outcomes.map((outcome) => outcome.overhead)),
    ...(delays.length > 0 && {
      delayMs: { p50: mean(delays.map(({ p50 }) => p50)), p99: mean(delays.map(({ p99 }) => p99)) },
    }),
  };
}

/** The best program at a point. */
export interface PeerVerdict {
  readonly winner: string;
  /** True when its interval lies below all others. */
  readonly certain: boolean;
  /** True when others missed equally few frames, and it sent the fewest bytes. */
  readonly byOverhead: boolean;
}

/** The lowest miss ratio wins; among equals, the least overhead. A single program has no verdict. */
export function verdictOf(standings: readonly Standing[]): PeerVerdict | undefined {
  if (standings.length < 2) return undefined;
  const least = Math.min(...standings.map(({ missed }) => missed.share));
  const best = standings.filter(({ missed }) => missed.share === least);
  const winner = best.reduce<Standing | undefined>(
    (cheapest, each) => (cheapest === undefined || each.overhead.mean < cheapest.overhead.mean ? each : cheapest),
    undefined,
  );
  if (!winner) return undefined;
  const others = standings.filter((each) => each !== winner);
  return {
    winner: winner.peer,
    certain: others.every(({ missed }) => missed.low > winner.missed.high),
    byOverhead: best.length > 1,
  };
}

/** Student's t at 97.5 % by degrees of freedom, from 1; 1.96 beyond. */
const STUDENT = [12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26];

function meanOf(values: readonly number[]): Standing['overhead'] {
  const center = mean(values);
  if (values.length < 2) return { mean: center };
  const variance = sum(values.map((value) => (value - center) ** 2)) / (values.length - 1);
  const student = STUDENT[values.length - 2] ?? 1.96;
  return { mean: center, reach: student * Math.sqrt(variance / values.length) };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const mean = (values: readonly number[]): number => sum(values) / values.length;
