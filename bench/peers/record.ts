import { cpus, loadavg } from 'node:os';
import { version as nodeVersion } from 'node:process';
import type { RelayReport } from '../../session/relay-report.ts';
import type { Point } from '../point.ts';
import type { Judgement } from './outcome.ts';
import type { PeerRun } from './standing.ts';

/** A run with all that could explain it. */
export interface RecordedRun extends PeerRun {
  readonly commands: readonly string[];
  readonly mediaWay: 'forward' | 'back';
  readonly relay: RelayReport;
  /** The machine's load of the last minute when the run was over. */
  readonly load: number;
  readonly own?: unknown;
}

/** What out/bench/peers-….json holds. */
export interface PeersRecord {
  readonly at: string;
  readonly machine: { readonly processor: string | undefined; readonly cores: number; readonly node: string };
  /** Whether every run that was planned has been made. */
  readonly complete: boolean;
  readonly quick: boolean;
  readonly seconds: number;
  readonly seeds: number;
  readonly jobs: number;
  readonly judgement: Omit<Judgement, 'budgetMs'>;
  readonly points: readonly Point[];
  readonly peers: readonly { readonly name: string; readonly title: string; readonly version: string }[];
  /** Why programs that were asked for are not here. */
  readonly absent: readonly string[];
  /** Runs that came to nothing, twice. */
  readonly failures: readonly string[];
  readonly runs: readonly RecordedRun[];
}

export const machine = (): PeersRecord['machine'] => ({
  processor: cpus()[0]?.model,
  cores: cpus().length,
  node: nodeVersion,
});

export const loadNow = (): number => loadavg()[0] ?? Number.NaN;
