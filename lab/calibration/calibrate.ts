import { Failure } from '../../io/os/failure.ts';
import { milliseconds, seconds } from '../../protocol/base/units.ts';
import { NO_FILES } from '../cell-source.ts';
import type { Machine } from '../machine.ts';
import { calmMachine } from '../measured/calm-machine.ts';
import { assertKernelAllows } from '../measured/measure-cell.ts';
import type { DisturbanceLimits } from '../measured/measurement.ts';
import { realSecondsOf } from '../measured/run-measurements.ts';
import type { CalibrationCell } from './calibration-cells.ts';
import { type Comparison, compare } from './comparison.ts';
import { measuredMachine } from './measured-machine.ts';

/** Limits of a calm machine: lateness that a timer may have on its own, and the longest wait, microseconds. */
const CALM = { lateMax: milliseconds(4), waitMax: seconds(10) } as const;

export interface CalibrationProgress {
  readonly cells: number;
  readonly done: number;
  /** Estimate for undisturbed runs. */
  readonly secondsLeft: number;
}

/** Summary of all comparisons. Disturbed runs are evaluated and counted, never omitted. */
export interface Calibration {
  readonly cells: number;
  readonly agreeing: number;
  readonly differing: number;
  /** Cells that differ, but where other seeds of the simulator differ as much. */
  readonly withinChance: number;
  /** Cells disturbed by the machine in every attempt; their verdict is unreliable. */
  readonly disturbed: number;
  readonly disturbedDiffering: number;
  /** Number of repeated runs. */
  readonly repeated: number;
  readonly kernel: readonly string[];
  /** Host latencies of the simulated ends, measured before the first cell. */
  readonly machine: Machine | undefined;
  readonly strategies: readonly StrategyAgreement[];
}

export interface StrategyAgreement {
  readonly strategy: string;
  readonly cells: number;
  readonly agreeing: number;
  /** Cells that were not disturbed. */
  readonly calm: number;
  readonly calmAgreeing: number;
}

/**
 * Runs each cell through the simulator and through the kernel, several in parallel. Returns the comparisons in the
 * order of the cells; after an abort, those of the finished cells.
 *
 * @throws {Failure} before the first run when the kernel refuses a strategy, with a remedy.
 */
export async function calibrate(
  cells: readonly CalibrationCell[],
  options: {
    readonly signal: AbortSignal;
    /** Number of parallel namespaces. */
    readonly jobs: number;
    readonly limits: DisturbanceLimits;
    readonly onProgress: (progress: CalibrationProgress) => void;
  },
): Promise<readonly Comparison[]> {
  const { signal, limits, jobs, onProgress } = options;
  try {
    await assertKernelAllows(
      cells.map(({ cell }) => cell),
      NO_FILES,
    );
  } catch (error) {
    // A missing requirement affects all strategies; a refusal affects one.
    if (!(error instanceof Failure) || error.exitCode === 3) throw error;
    throw new Failure(`${error.message}; or exclude it with --strategies`, error.exitCode);
  }
  const outcomes = new Map<CalibrationCell, Comparison>();
  const reportProgress = () => {
    const waiting = cells.filter((one) => !outcomes.has(one));
    const left = waiting.reduce((sum, { cell }) => sum + realSecondsOf(cell, NO_FILES), 0);
    onProgress({ cells: cells.length, done: outcomes.size, secondsLeft: left / jobs });
  };
  const abort = new AbortController();
  const stop = () => abort.abort();
  signal.addEventListener('abort', stop, { once: true });
  const calm = () => calmMachine({ ...CALM, signal: abort.signal });
  const queue = cells.values();
  const work = async (machine: Machine) => {
    for (const one of queue) {
      if (abort.signal.aborted) return;
      reportProgress();
      try {
        outcomes.set(one, await compare(one.name, one.cell, { signal: abort.signal, limits, calm, machine }));
      } catch (error) {
        if (abort.signal.aborted) return;
        abort.abort();
        throw error;
      }
    }
  };
  try {
    reportProgress();
    const machine = await measuredMachine({ signal: abort.signal, limits, calm });
    await Promise.all(Array.from({ length: jobs }, () => work(machine)));
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
  return cells.flatMap((one) => outcomes.get(one) ?? []);
}

export function conclude(outcomes: readonly Comparison[]): Calibration {
  const differing = outcomes.filter(({ verdict }) => verdict === 'differs');
  const disturbed = (of: readonly Comparison[]) => of.filter(({ measurement }) => measurement.disturbed).length;
  return {
    cells: outcomes.length,
    agreeing: outcomes.length - differing.length,
    differing: differing.length,
    withinChance: differing.filter((outcome) => outcome.withinChance).length,
    disturbed: disturbed(outcomes),
    disturbedDiffering: disturbed(differing),
    repeated: outcomes.reduce((sum, { measurement }) => sum + measurement.attempts - 1, 0),
    strategies: [...new Set(outcomes.map(({ strategy }) => strategy))].map((strategy) =>
      agreementOf(
        strategy,
        outcomes.filter((outcome) => outcome.strategy === strategy),
      ),
    ),
    machine: outcomes[0]?.machine,
    kernel: [...new Set(outcomes.map(({ measurement }) => measurement.kernel))],
  };
}

function agreementOf(strategy: string, outcomes: readonly Comparison[]): StrategyAgreement {
  const calm = outcomes.filter(({ measurement }) => !measurement.disturbed);
  const agreeing = (of: readonly Comparison[]) => of.filter(({ verdict }) => verdict === 'agrees').length;
  return {
    strategy,
    cells: outcomes.length,
    agreeing: agreeing(outcomes),
    calm: calm.length,
    calmAgreeing: agreeing(calm),
  };
}
