import type { Programs } from './programs.ts';

/** Input of each part of the benchmarks. */
export interface PartContext {
  /** Folder for clips and results. */
  readonly folder: string;
  readonly programs: Programs;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Fewer and shorter runs, whose figures must not be quoted. */
  readonly quick: boolean;
  /** Bit rates of the part `cpu`, megabits per second. */
  readonly rates: readonly number[];
  /** Duration of the memory measurement of the part `page`, minutes. */
  readonly minutes: number;
  /** Repetitions of each measurement; medians are shown. */
  readonly rounds: number;
  /** Reports progress on stderr. */
  readonly progress: (text: string) => void;
}

export interface PartResult {
  /** Description of the measurement, and its table. */
  readonly text: string;
  /** Raw figures for out/bench/. */
  readonly figures: unknown;
}

export type BenchPart = (context: PartContext) => Promise<PartResult>;
