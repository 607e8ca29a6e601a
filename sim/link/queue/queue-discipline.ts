import type { Instant, Microseconds } from '../../../protocol/base/units.ts';
import { CE, type Ecn, NOT_ECT } from '../../../protocol/ecn.ts';

/** A datagram that waits for the line. */
export interface QueuedDatagram {
  readonly datagram: Uint8Array;
  /** Number of the datagram on its link, which selects its random draws. */
  readonly index: number;
  /** Size on the line, headers included, bytes. */
  readonly bytes: number;
  /** Number of its flow. */
  readonly flow: number;
  /** ECN bits; a discipline may set CE. */
  ecn: Ecn;
  readonly arrivedAt: Instant;
  /** Number of its frame, for loss models that step per frame. */
  readonly frame: number | undefined;
}

/** A queue in front of a line: decides the order, and which datagrams are dropped or marked. */
export interface QueueDiscipline {
  /** Datagrams that wait. */
  readonly packets: number;
  /** Their size on the line. */
  readonly bytes: number;
  /** Datagrams dropped so far and not taken yet by the owner, who empties the list after each call. */
  readonly dropped: QueuedDatagram[];
  /** Datagrams on which congestion experienced was set. */
  readonly marked: number;
  /** Adds a datagram. @param full true when the queue has no room: the discipline drops this or another one. */
  enqueue(now: Instant, packet: QueuedDatagram, full: boolean): void;
  /** Returns the datagram to be sent at `now`; `undefined` when none is left. */
  dequeue(now: Instant): QueuedDatagram | undefined;
  /** Removes all datagrams, in the order of their arrival. */
  takeAll(): QueuedDatagram[];
}

/** Parameters of a queue discipline; docs/LINK.md has their defaults and sources. */
export type DisciplineOptions = CodelOptions | FqCodelOptions | DualPi2Options;

/** Controlled delay (RFC 8289). */
export interface CodelOptions {
  /** Name of the discipline. */
  readonly kind: 'codel';
  /** Acceptable standing queueing delay, microseconds. */
  readonly target: Microseconds;
  /** Time for which the delay must exceed the target: about the longest usual round trip, microseconds. */
  readonly interval: Microseconds;
  /** True: ECN-capable datagrams are marked instead of dropped. */
  readonly ecn: boolean;
  /** Queueing delay above which ECT(1) datagrams are marked (RFC 9331 §5.4), microseconds; `undefined`: none. */
  readonly ceThreshold?: Microseconds;
}

/** A queue with CoDel for each flow, served by deficit round robin (RFC 8290). */
export interface FqCodelOptions extends Omit<CodelOptions, 'kind'> {
  /** Name of the discipline. */
  readonly kind: 'fq-codel';
  /** Bytes that a flow may send in a round, at least one datagram. */
  readonly quantum: number;
}

/** Coupled dual queue with PI² for classic and a shallow threshold for L4S traffic (RFC 9332 §2.5, appendix A). */
export interface DualPi2Options {
  /** Name of the discipline. */
  readonly kind: 'dualpi2';
  /** Target of the classic queue, microseconds. */
  readonly target: Microseconds;
  /** Centre of the ramp by which the L4S queue is marked, microseconds. */
  readonly step: Microseconds;
  /** Coupling factor k. */
  readonly coupling: number;
}

/** Sets CE on an ECN-capable datagram (RFC 3168 §5). @returns false when it is not ECN-capable. */
export function mark(packet: QueuedDatagram): boolean {
  if (packet.ecn === NOT_ECT) return false;
  packet.ecn = CE;
  return true;
}
