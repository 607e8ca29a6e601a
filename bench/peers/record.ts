import { readFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { version as nodeVersion } from 'node:process';
import type { RelayReport } from '../../session/relay/relay-report.ts';
import type { Direction } from '../../sim/direction.ts';
import type { BenchPoint } from '../point.ts';
import type { Judgement } from './outcome.ts';
import type { PeerRun } from './standing.ts';

/** A run with all information that could explain its result. */
export interface RecordedRun extends PeerRun {
  readonly commands: readonly string[];
  readonly mediaWay: Direction;
  readonly relay: RelayReport;
  /** Load average over the last minute at the end of the run. */
  readonly load: number;
  readonly own?: unknown;
}

/** Contents of out/bench/peers-….json. */
export interface PeersRecord {
  readonly at: string;
  readonly machine: { readonly processor: string | undefined; readonly cores: number; readonly node: string };
  /** True when all planned runs were made. */
  readonly complete: boolean;
  readonly quick: boolean;
  readonly seconds: number;
  readonly seeds: number;
  readonly jobs: number;
  /** Scheduling policy of all processes. */
  readonly scheduling: 'usual' | 'real-time';
  readonly judgement: Omit<Judgement, 'budgetMs'>;
  readonly points: readonly BenchPoint[];
  readonly peers: readonly { readonly name: string; readonly title: string; readonly version: string }[];
  /** Messages about missing programs. */
  readonly absent: readonly string[];
  /** Runs that failed twice. */
  readonly failures: readonly string[];
  readonly runs: readonly RecordedRun[];
}

export const machine = (): PeersRecord['machine'] => ({
  processor: cpus()[0]?.model,
  cores: cpus().length,
  node: nodeVersion,
});

export const loadNow = (): number => loadavg()[0] ?? Number.NaN;

/** Index of the policy after the command name, which may contain blanks and parentheses (proc(5): field 41 of stat). */
const POLICY_AFTER_NAME = 38;

/**
 * Scheduling policy of this process, which child processes inherit: `chrt -r 1 npm run bench:peers` makes it real-time.
 */
export function scheduling(): PeersRecord['scheduling'] {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[POLICY_AFTER_NAME] === '1' || fields[POLICY_AFTER_NAME] === '2' ? 'real-time' : 'usual';
}
