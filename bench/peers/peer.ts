import type { RelayReport } from '../../session/relay/relay-report.ts';
import type { Direction } from '../../sim/direction.ts';
import type { Point } from '../point.ts';
import type { Programs } from '../programs.ts';
import type { FrameRelease } from './frame-releases.ts';
import type { RelayReading } from './relay.ts';

/** What a program is given to do once. */
export interface PeerTask {
  readonly programs: Programs;
  readonly signal: AbortSignal;
  readonly point: Point;
  readonly seed: number;
  /** Frames to hand over. */
  readonly frames: number;
  /** Where it may put files of its own; names must begin with it. */
  readonly scratch: string;
}

/** What a program made of it. */
export interface PeerRecord {
  /** As a user would type them; ports as they were. */
  readonly commands: readonly string[];
  /** When each frame was handed over, by its number, microseconds of `hrtime`. */
  readonly handedOverAt: readonly number[];
  readonly releases: readonly FrameRelease[];
  readonly readings: readonly RelayReading[];
  /** The relay's direction in which the media went. */
  readonly mediaWay: Direction;
  readonly relay: RelayReport;
  /** What the program says of itself. */
  readonly own?: unknown;
}

/** A program that can be compared: sender and receiver. */
export interface Peer {
  readonly name: string;
  /** How the table calls it. */
  readonly title: string;
  /** `undefined`: it is not installed, or it cannot do this. */
  version(): string | undefined;
  /** One line: what to install. */
  readonly absence: string;
  run(task: PeerTask): Promise<PeerRecord>;
}

/** What timers, threads and the pipe to the player may take of the budget: the same for all, as the reference had it. */
const MARGIN_MS = 6;

/** What the program's own latency is set to, milliseconds: it counts from the arrival. */
export const latencyMsOf = ({ budgetMs, oneWayMs }: Point): number => budgetMs - oneWayMs - MARGIN_MS;

/** The relay's two links, from the sender's side. */
export function linksOf({ forward, back }: Point, seed: number): { readonly media: string; readonly answers: string } {
  return { media: `${forward} seed=${seed}`, answers: `${back} seed=${seed}` };
}
