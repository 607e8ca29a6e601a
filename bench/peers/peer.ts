import type { RelayReport } from '../../session/relay/relay-report.ts';
import type { Direction } from '../../sim/direction.ts';
import type { BenchPoint } from '../point.ts';
import type { Programs } from '../programs.ts';
import type { ReceivedFrame } from './frame-releases.ts';
import type { RelayReading } from './relay.ts';

/** Task of a single run of a program. */
export interface PeerTask {
  readonly programs: Programs;
  readonly signal: AbortSignal;
  readonly point: BenchPoint;
  readonly seed: number;
  /** Number of frames to send. */
  readonly frames: number;
  /** Prefix of the run's own files. */
  readonly scratch: string;
}

/** Records of a run. */
export interface PeerRecord {
  /** Command lines as a user would type them, with actual ports. */
  readonly commands: readonly string[];
  /** Hand-over time of each frame by number, microseconds of `hrtime`. */
  readonly handedOverAt: readonly number[];
  readonly releases: readonly ReceivedFrame[];
  readonly readings: readonly RelayReading[];
  /** Relay direction of the media. */
  readonly mediaWay: Direction;
  readonly relay: RelayReport;
  /** The program's own report. */
  readonly own?: unknown;
}

/** A program to compare: sender and receiver. */
export interface Peer {
  readonly name: string;
  /** Name in the table. */
  readonly title: string;
  /** Installed version; `undefined` when it is missing or unsuitable. */
  version(): string | undefined;
  /** Installation hint, one line. */
  readonly absence: string;
  run(task: PeerTask): Promise<PeerRecord>;
}

/** Part of the budget reserved for timers, threads and the pipe to the player, milliseconds; equal for all programs. */
const MARGIN_MS = 6;

/** Latency setting of a program, milliseconds, which counts from arrival. */
export const latencyMsOf = ({ budgetMs, oneWayMs }: BenchPoint): number => budgetMs - oneWayMs - MARGIN_MS;

/** The relay's two links as seen from the sender. */
export function linksOf(
  { forward, back }: BenchPoint,
  seed: number,
): { readonly media: string; readonly answers: string } {
  return { media: `${forward} seed=${seed}`, answers: `${back} seed=${seed}` };
}
