import type { AccessUnit } from '../protocol/access-unit.ts';
import type { Instant, Microseconds } from '../protocol/base/instant.ts';
import type { Path, Script } from '../sim/simulation.ts';
import type { FrameTable } from './frame-table.ts';
import type { Machine } from './machine.ts';
import type { PathObserver } from './path-observer.ts';

/** What a strategy needs to know before it begins. */
export interface StrategyOptions {
  /** From capture to the instant by which a frame is of use, the way included, microseconds. */
  readonly budget: Microseconds;
  /** How long a small datagram is on its way at least, microseconds. */
  readonly transitMin: Microseconds;
  readonly release: 'deadline' | 'asap';
  readonly seed: number;
  readonly parameters: StrategyParameters;
  /** Where frames are entered. */
  readonly frames: FrameTable;
  /** What the two ends run on; without one they take no time. */
  readonly machine?: Machine | undefined;
}

export interface StrategyParameters {
  /** Share of the media's bytes for retransmission and repair, 0 … 1. */
  readonly redundancy?: number | undefined;
  /** TCP: a frame is written only while fewer bytes than this wait in the connection (`tcp_notsent_lowat`). */
  readonly unsentBytesMax?: number | undefined;
  /** TCP: a frame that waited longer before it could be written is given up, and all up to the next key frame. */
  readonly giveUpMs?: number | undefined;
  /** UDP: what follows a lost reference is not shown, or shown with the damage in it; usually the former. */
  readonly onLoss?: 'freeze' | 'smear' | undefined;
}

/** Anything that brings frames over a path: two endpoints and someone who keeps the books. */
export interface Strategy {
  /** Of each datagram, beneath what the endpoints write: IPv4 and UDP headers, or IPv4 alone. */
  readonly headerBytes: number;
  /** To be told of all that enters and leaves the paths. */
  readonly observer: PathObserver;
  /** How long after the last frame something may still come, microseconds. */
  readonly drain: Microseconds;
  /** Puts the endpoints on the paths. */
  start(parts: { readonly forward: Path; readonly back: Path; readonly scripts: readonly Script[] }): Runnable;
  /** The source hands over a frame, which stands in this row of the table. */
  send(now: Instant, unit: AccessUnit, row: number): void;
  /** The source has no more frames. */
  finish(now: Instant): void;
  /** Nothing more will come: every frame has its class. */
  readonly ended: boolean;
  /** Throws if a frame or a packet is not in exactly one class. */
  assertBalanced(): void;
  /** Decides what is left, and adds up. */
  conclude(now: Instant): TransportFigures;
}

export interface Runnable {
  readonly now: Instant;
  runUntil(end: Instant): void;
}

/** What a strategy alone knows of its packets; of the time after the warm-up. */
export interface TransportFigures {
  readonly packetsSent: number;
  readonly packetsLost: number;
  readonly packetsResidual: number;
  readonly packetsLate: number;
  readonly bytesRetransmission: number;
  readonly bytesRepair: number;
  readonly bytesWasted: number;
  readonly burstsBefore: readonly (readonly [length: number, count: number])[];
  readonly burstsAfter: readonly (readonly [length: number, count: number])[];
  /** Microseconds; `null`: nothing to tell it from. */
  readonly jitter: number | null;
  readonly jitterFirst: number | null;
}

/** @param measuredFrom the first row that counts. */
export type StrategyBuilder = (options: StrategyOptions, measuredFrom: number) => Strategy;
