import type { AccessUnit } from '../protocol/access-unit.ts';
import type { Instant, Microseconds } from '../protocol/base/units.ts';
import type { Codec } from '../protocol/codec/codec.ts';
import type { RateControl } from '../sender/rate/rate-control.ts';
import type { Path, Script } from '../sim/simulation.ts';
import type { FrameTable } from './frame-table.ts';
import type { Machine } from './machine.ts';
import type { PathObserver } from './path-observer.ts';

/** Settings of a strategy. */
export interface StrategyOptions {
  /** Time from capture until a frame is useless, including the transit, microseconds. */
  readonly budget: Microseconds;
  /** Minimum transit time of a full datagram, microseconds. */
  readonly transitMin: Microseconds;
  readonly release: 'deadline' | 'asap';
  readonly seed: number;
  /** Time at which a connection is opened; 0 by default. */
  readonly opensAt?: Instant | undefined;
  readonly parameters: StrategyParameters;
  /** Table in which frames are recorded. */
  readonly frames: FrameTable;
  /** Sound beside the pictures; none when absent. */
  readonly sound?: StrategySound | undefined;
  /** Latencies of the end hosts; none when absent. */
  readonly machine?: Machine | undefined;
}

/** Sound that a strategy carries beside the pictures. */
export interface StrategySound {
  readonly codec: Codec;
  /** RTP clock rate, ticks per second. */
  readonly clockRate: number;
  /** Table in which access units are recorded. */
  readonly units: FrameTable;
  /** First row that counts, after the warm-up. */
  readonly measuredFrom: number;
}

/** Parameters of a strategy; its defaults apply when absent. */
export interface StrategyParameters {
  /** Bytes of retransmission and repair as a fraction of the media, 0 … 1. */
  readonly redundancy?: number | undefined;
  /** TCP: a frame is written only while the connection holds fewer unsent bytes than this (`tcp_notsent_lowat`). */
  readonly unsentBytesMax?: number | undefined;
  /** TCP: a frame that waited longer than this to be written is discarded, with all frames up to the next key frame. */
  readonly giveUpMs?: number | undefined;
  /** UDP: whether frames after a lost reference are withheld (`freeze`, the default) or shown damaged (`smear`). */
  readonly onLoss?: 'freeze' | 'smear' | undefined;
  /** UDP, simulated: true to add the bytes of SRTP and SRTCP to each datagram. */
  readonly encrypted?: boolean | undefined;
  /** UDP: rate control of the sender; `measured` by default. */
  readonly rate?: RateControl | undefined;
  /** `duplicate`: time from a packet to its copy, milliseconds; 0 by default. */
  readonly copyDelayMs?: number | undefined;
  /** `rs-block`: frames in a block; 1 by default. */
  readonly blockFrames?: number | undefined;
  /** `flexfec`: columns of the matrix, the packets in a row; 10 by default. */
  readonly columns?: number | undefined;
  /** `flexfec`: rows of the matrix, the packets in a column; 5 by default. */
  readonly rows?: number | undefined;
  /** `flexfec`: what gets parity packets; both by default. */
  readonly parity?: 'rows' | 'columns' | 'both' | undefined;
  /** `hairpin`: weight of repair packets, as a share of their frame, against missed frames; 10⁻⁷ by default. */
  readonly repairWeight?: number | undefined;
  /** `tambur`: frames after which a frame must be recovered, the delay of the code; 3 by default. */
  readonly delayFrames?: number | undefined;
  /** `paths-split`, `paths-coded`: share of the media packets on the first path, while both are up; 0.5 by default. */
  readonly firstShare?: number | undefined;
  /** `paths-coded`: share of the packets protected against a path's failure when no request is answered in time; 1 by default. */
  readonly pathRepair?: number | undefined;
}

/** A transport for frames: two endpoints, and the accounting of their packets. */
export interface Strategy {
  /** Header bytes below each datagram: IPv4 and UDP, or IPv4 alone. */
  readonly headerBytes: number;
  /** Observer that must see all datagrams on both paths. */
  readonly observer: PathObserver;
  /** How long frames may still arrive after the last capture, microseconds. */
  readonly drain: Microseconds;
  /** Connects the endpoints to the paths. */
  start(parts: { readonly forward: Path; readonly back: Path; readonly scripts: readonly Script[] }): Runnable;
  /** Sends a captured frame, recorded in this row of the table. */
  send(now: Instant, unit: AccessUnit, row: number): void;
  /** Observer of the sound's packets; absent without sound, or where its packets cannot be told apart. */
  readonly soundObserver?: PathObserver | undefined;
  /** Sends an access unit of the sound, recorded in this row of its table. */
  sendSound(now: Instant, unit: AccessUnit, row: number): void;
  /** Target for the media, bits per second, for a source that follows; `undefined` while unlimited. */
  readonly targetBitrate?: number | undefined;
  /** Returns true once for one or more requests for a key frame since the last call. */
  takeKeyFrameRequest?(): boolean;
  /** Neither the source nor its sound has more. */
  finish(now: Instant): void;
  /** True when every frame has its final class. */
  readonly ended: boolean;
  /** Throws unless each frame and packet is in exactly one class. */
  assertBalanced(): void;
  /** Decides the remaining frames, and returns the totals. */
  conclude(now: Instant): TransportFigures;
  /** Totals of the sound's packets, after `conclude`; `undefined` where they cannot be told apart. */
  concludeSound(): TransportFigures | undefined;
}

export interface Runnable {
  readonly now: Instant;
  /** Time of the next event; `undefined`: none. */
  pollTimeout(): Instant | undefined;
  runUntil(end: Instant): void;
}

/** Packet figures of a strategy after the warm-up. */
export interface TransportFigures {
  readonly packetsSent: number;
  readonly packetsLost: number;
  readonly packetsResidual: number;
  readonly packetsLate: number;
  readonly bytesRetransmission: number;
  readonly bytesRepair: number;
  readonly bytesWasted: number;
  readonly bytesLate: number;
  readonly retransmissionsSent: number;
  readonly retransmissionsLost: number;
  readonly repairsSent: number;
  readonly repairsLost: number;
  readonly burstsBefore: readonly (readonly [length: number, count: number])[];
  readonly burstsAfter: readonly (readonly [length: number, count: number])[];
  /** Microseconds; `null` when not computable. */
  readonly jitter: number | null;
  readonly jitterFirst: number | null;
}

/** @param measuredFrom first row that counts, after the warm-up. */
export type StrategyBuilder = (options: StrategyOptions, measuredFrom: number) => Strategy;
