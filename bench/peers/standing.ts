import { interval } from '../point.ts';
import type { Outcome } from './outcome.ts';

/** One run of one program, as it is kept. */
export interface PeerRun {
  readonly point: string;
  readonly peer: string;
  readonly seed: number;
  readonly outcome: Outcome;
}

/** What a program came to at a point, all seeds together. */
export interface Standing {
  readonly peer: string;
  readonly runs: number;
  readonly frames: number;
  /** Frames that never came out whole. */
  readonly lost: number;
  /** Frames that came out whole and too late. */
  readonly late: number;
  /** Lost and late over all, 0 … 1, with Wilson's interval of 95 % on the pooled frames. */
  readonly missed: { readonly share: number; readonly low: number; readonly high: number };
  /** Mean over the runs and half of Student's interval of 95 %; `undefined`: one run has none. */
  readonly overhead: { readonly mean: number; readonly reach?: number };
  /** Means over the runs of each run's percentile, milliseconds; `undefined`: nothing came out. */
  readonly delayMs?: { readonly p50: number; readonly p99: number };
}

/** All programs that ran at a point, in their order. */
export function standingsOf(runs: readonly PeerRun[], point: string, peers: readonly string[]): Standing[] {
  return peers.flatMap((peer) => {
    const outcomes = runs.filter((run) => run.point === point && run.peer === peer).map(({ outcome }) => outcome);
    return outcomes.length === 0 ? [] : [standing(peer, outcomes)];
  });
}

function standing(peer: string, outcomes: readonly Outcome[]): Standing {
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

/** Who did best at a point. */
export interface Verdict {
  readonly winner: string;
  /** Whether its interval lies below all others'. */
  readonly certain: boolean;
  /** Whether others missed just as few, and it sent the least of them. */
  readonly byOverhead: boolean;
}

/** The smallest share of frames missed wins; where several have it, the least overhead among them. One alone is no best. */
export function verdictOf(standings: readonly Standing[]): Verdict | undefined {
  if (standings.length < 2) return undefined;
  const least = Math.min(...standings.map(({ missed }) => missed.share));
  const best = standings.filter(({ missed }) => missed.share === least);
  const winner = best.reduce<Standing | undefined>(
    (thrifty, each) => (thrifty === undefined || each.overhead.mean < thrifty.overhead.mean ? each : thrifty),
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

/** Student's t, 97.5 %, by degrees of freedom from 1 on; 1.96 beyond. */
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
