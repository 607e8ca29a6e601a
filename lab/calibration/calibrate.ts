import { Failure } from '../../io/failure.ts';
import { NO_FILES } from '../cell-source.ts';
import { assertKernelAllows } from '../kernel/measure-cell.ts';
import type { DisturbanceLimits } from '../kernel/measurement.ts';
import { realSecondsOf } from '../kernel/run-measurements.ts';
import type { CalibrationCell } from './calibration-cells.ts';
import { type Comparison, compare } from './comparison.ts';

export interface CalibrationProgress {
  readonly cells: number;
  readonly done: number;
  /** If nothing is disturbed. */
  readonly secondsLeft: number;
}

/** What all comparisons come to. Runs that were disturbed each time are judged and counted, never left out. */
export interface Calibration {
  readonly cells: number;
  readonly agreeing: number;
  readonly differing: number;
  /** Of these, disturbed by the machine in every attempt: their verdict says little. */
  readonly disturbed: number;
  readonly disturbedDiffering: number;
  /** Runs that were done again. */
  readonly repeated: number;
  readonly kernel: readonly string[];
}

/**
 * Runs each cell through the simulator and through the kernel, one after the other.
 * @throws {Failure} before anything is run, where the kernel refuses a strategy: how to allow it, or leave it out.
 */
export async function calibrate(
  cells: readonly CalibrationCell[],
  options: {
    readonly signal: AbortSignal;
    readonly limits: DisturbanceLimits;
    readonly onProgress: (progress: CalibrationProgress) => void;
  },
): Promise<readonly Comparison[]> {
  const { signal, limits, onProgress } = options;
  try {
    await assertKernelAllows(
      cells.map(({ cell }) => cell),
      NO_FILES,
    );
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw new Failure(`${error.message}; or leave it out with --strategies`, error.exitCode);
  }
  const outcomes: Comparison[] = [];
  for (const { name, cell } of cells) {
    if (signal.aborted) break;
    const left = cells.slice(outcomes.length).reduce((sum, { cell: one }) => sum + realSecondsOf(one, NO_FILES), 0);
    onProgress({ cells: cells.length, done: outcomes.length, secondsLeft: left });
    try {
      outcomes.push(await compare(name, cell, { signal, limits }));
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
  return outcomes;
}

export function conclude(outcomes: readonly Comparison[]): Calibration {
  const differing = outcomes.filter(({ verdict }) => verdict === 'differs');
  const disturbed = (of: readonly Comparison[]) => of.filter(({ measurement }) => measurement.disturbed).length;
  return {
    cells: outcomes.length,
    agreeing: outcomes.length - differing.length,
    differing: differing.length,
    disturbed: disturbed(outcomes),
    disturbedDiffering: disturbed(differing),
    repeated: outcomes.reduce((sum, { measurement }) => sum + measurement.attempts - 1, 0),
    kernel: [...new Set(outcomes.map(({ measurement }) => measurement.kernel))],
  };
}
