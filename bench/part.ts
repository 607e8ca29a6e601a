import type { Programs } from './programs.ts';

/** What every part of the benchmarks is given. */
export interface PartContext {
  /** Where clips and results lie. */
  readonly folder: string;
  readonly programs: Programs;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Fewer and shorter runs: to see that it works, not to be quoted. */
  readonly quick: boolean;
  /** Megabits a second, of the part `cpu`. */
  readonly rates: readonly number[];
  /** How long, of the part `page`. */
  readonly minutes: number;
  /** How often each measurement is made; medians are shown. */
  readonly rounds: number;
  /** Where we are, on stderr. */
  readonly progress: (text: string) => void;
}

export interface PartResult {
  /** What exactly was measured, and the table. */
  readonly text: string;
  /** For out/bench/. */
  readonly figures: unknown;
}

export type Part = (context: PartContext) => Promise<PartResult>;
