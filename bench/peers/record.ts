import { readFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { version as nodeVersion } from 'node:process';
import type { RelayReport } from '../../session/relay/relay-report.ts';
import type { Direction } from '../../sim/direction.ts';
import type { Point } from '../point.ts';
import type { Judgement } from './outcome.ts';
import type { PeerRun } from './standing.ts';

/** A run with all that could explain it. */
export interface RecordedRun extends PeerRun {
  readonly commands: readonly string[];
  readonly mediaWay: Direction;
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
  /** Under which of the scheduler's policies all processes ran. */
  readonly scheduling: 'usual' | 'real-time';
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

/** Behind the command's name, which may hold blanks and brackets (proc(5): policy is field 41 of stat). */
const POLICY_AFTER_NAME = 38;

/** Ours, which every process that we start inherits: `chrt -r 1 npm run bench:peers` makes it real-time. */
export function scheduling(): PeersRecord['scheduling'] {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[POLICY_AFTER_NAME] === '1' || fields[POLICY_AFTER_NAME] === '2' ? 'real-time' : 'usual';
}
