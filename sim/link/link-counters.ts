import { assert } from '../../protocol/base/assert.ts';

/** Totals of one direction of a link. Invariant: `offered + duplicated = delivered + lost + overflowed + inFlight`. */
export interface LinkCounters {
  readonly offered: number;
  readonly offeredBytes: number;
  readonly delivered: number;
  readonly deliveredBytes: number;
  /** Dropped by the loss stage or in an outage. */
  readonly lost: number;
  /** Dropped by the bottleneck: its queue was full, or its discipline chose the datagram. */
  readonly overflowed: number;
  readonly duplicated: number;
  readonly corrupted: number;
  readonly inFlight: number;
}

/** Breakdown of some of the counters by stage. */
export interface LinkStageCounters {
  /** Dropped by the loss stage. */
  readonly lostByLoss: number;
  /** Dropped in an outage; `lostByLoss + lostInOutages = lost`. */
  readonly lostInOutages: number;
  /** Moved behind later datagrams. */
  readonly slipped: number;
  /** Marked with congestion experienced by the queue discipline. */
  readonly marked: number;
}

/** Throws unless each datagram is accounted for. */
export function assertConserved({ offered, duplicated, delivered, lost, overflowed, inFlight }: LinkCounters): void {
  assert(offered + duplicated === delivered + lost + overflowed + inFlight, 'the counters of a link must balance');
}
