import type { LinkSpecification } from '../../sim/link/link-specification.ts';
import { RESOLUTION_US } from './delay-fit.ts';
import type { PathFit } from './fit-path.ts';
import { findReordering } from './reordering.ts';
import { lossRuns, sampleDifference, simulatePath } from './simulated-path.ts';

/** How well the fitted link repeats the capture, when it carries the recorded schedule. */
export interface FitCheck {
  /** Largest differences between the measured and the simulated distributions (Kolmogorov–Smirnov); of chance alone too. */
  readonly delayDifference: number | undefined;
  readonly runDifference: number | undefined;
  readonly simulatedLoss: number;
  /** Share of datagrams that arrive out of order. */
  readonly simulatedReordering: number;
  /** Delays above the least one, microseconds. */
  readonly measuredDelays: Float64Array;
  readonly simulatedDelays: Float64Array;
  readonly measuredRuns: readonly number[];
  readonly simulatedRuns: readonly number[];
}

const DATAGRAMS_MAX = 300_000;
/** Simulated datagrams at least, in several runs with seeds of their own. */
const DATAGRAMS_MIN = 100_000;
const RUNS_MAX = 20;

/** Sends the recorded schedule over the fitted link and compares what arrives. */
export function checkFit(fit: PathFit, link: LinkSpecification): FitCheck {
  const { observation, delay } = fit;
  const { timed, arrived } = observation;
  const sent = ascending(observation.sent.slice(0, DATAGRAMS_MAX));
  const schedule = { sent, bytes: observation.bytes.subarray(0, DATAGRAMS_MAX) };
  const count = Math.min(RUNS_MAX, Math.max(1, Math.ceil(DATAGRAMS_MIN / sent.length)));
  const simulatedDelays: number[] = [];
  const simulatedRuns: number[] = [];
  let [lost, late] = [0, 0];
  for (let seed = 1; seed <= count; seed++) {
    const path = simulatePath({ ...link, seed }, schedule);
    const isLost = Uint8Array.from(path.arrived, (at) => (Number.isNaN(at) ? 1 : 0));
    lost += isLost.reduce((sum, each) => sum + each, 0);
    late += findReordering({ ...observation, arrived: path.arrived, rank: path.rank }).late;
    for (const run of lossRuns(isLost)) simulatedRuns.push(run);
    for (let index = 0; index < sent.length; index++) {
      if (timed[index] && !isLost[index]) simulatedDelays.push(path.arrived[index]! - sent[index]!);
    }
  }
  const measured: number[] = [];
  for (let index = 0; index < arrived.length; index++) {
    if (timed[index] && !Number.isNaN(arrived[index]!)) measured.push(arrived[index]! - observation.sent[index]!);
  }
  // The zero of both clocks is unknown: the fitted delay of one is that of the other.
  const least = delay ? delay.delay.value - link.delay : 0;
  const measuredDelays = Float64Array.from(measured, (each) => each - least);
  const measuredRuns = lossRuns(fit.lost);
  return {
    delayDifference: delay && sampleDifference(measuredDelays, simulatedDelays, RESOLUTION_US),
    runDifference: measuredRuns.length === 0 ? undefined : sampleDifference(measuredRuns, simulatedRuns),
    simulatedLoss: lost / (count * sent.length),
    simulatedReordering: late / Math.max(1, count * sent.length - lost),
    measuredDelays,
    simulatedDelays: Float64Array.from(simulatedDelays),
    measuredRuns,
    simulatedRuns,
  };
}

/** Times that never decrease: estimated ones of lost datagrams might. */
function ascending(times: Float64Array): Float64Array {
  const first = times.reduce((least, each) => Math.min(least, each), 0);
  let last = 0;
  return times.map((each) => {
    last = Math.max(last, each - first);
    return last;
  });
}
