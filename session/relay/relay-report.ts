import { assert } from '../../protocol/base/assert.ts';
import type { Histogram } from '../../protocol/base/histogram.ts';
import { formatLinkSpecification } from '../../sim/link/link-format.ts';
import type { LinkSpecification } from '../../sim/link/link-specification.ts';
import type { DirectionCounters } from './relay-direction.ts';

/**
 * One direction of a relay, all clients together, in datagrams and bytes of UDP payload.
 * `offered + duplicated = delivered + lost + overflowed + inFlight`.
 */
export interface RelayDirectionReport {
  /** The impairment in canonical form. */
  readonly link: string;
  readonly offered: number;
  readonly offeredBytes: number;
  /** Handed to the operating system, duplicates and what it then refused included. */
  readonly delivered: number;
  readonly deliveredBytes: number;
  readonly lost: number;
  readonly overflowed: number;
  readonly duplicated: number;
  readonly corrupted: number;
  /** Still on its way, or on its way when its client was forgotten. */
  readonly inFlight: number;
  /** Never offered to a link: there was no room for another client, or no memory. */
  readonly refused: number;
  /** Deliveries that the operating system or, by ICMP, the other side refused. */
  readonly sendErrors: number;
  /** Share of what the queue let through that was lost, 0 … 1; `null`: nothing was. */
  readonly lossShare: number | null;
  /** Mean length of a run of losses, datagrams; `null`: nothing was lost. */
  readonly burstMean: number | null;
  /** By how much datagrams left later than their link asked, milliseconds; `null`: none has left. */
  readonly latenessMs: { readonly p50: number; readonly p99: number; readonly max: number } | null;
}

/** What a relay did. Everything shown to people is made from this. */
export interface RelayReport {
  readonly listen: string;
  readonly to: string;
  readonly durationSeconds: number;
  readonly clients: {
    readonly active: number;
    readonly served: number;
    readonly expired: number;
  };
  readonly forward: RelayDirectionReport;
  readonly back: RelayDirectionReport;
  /** Datagrams that the kernel dropped before the relay could read them; `null`: it cannot be asked (Linux only). */
  readonly receiveDrops: number | null;
}

const NOTHING: DirectionCounters = {
  offered: 0,
  offeredBytes: 0,
  delivered: 0,
  deliveredBytes: 0,
  lost: 0,
  lossRuns: 0,
  overflowed: 0,
  duplicated: 0,
  corrupted: 0,
  inFlight: 0,
  refused: 0,
};

/** Counters added up over clients. */
export class DirectionTotal {
  #sum: DirectionCounters;

  constructor(sum = NOTHING) {
    this.#sum = sum;
  }

  get sum(): DirectionCounters {
    return this.#sum;
  }

  add(counters: DirectionCounters): void {
    const sum = { ...this.#sum } as Record<keyof DirectionCounters, number>;
    for (const name of Object.keys(NOTHING) as (keyof DirectionCounters)[]) sum[name] += counters[name];
    this.#sum = sum;
  }
}

export interface DirectionReportOptions {
  readonly link: LinkSpecification;
  readonly counters: DirectionCounters;
  readonly lateness: Histogram;
  /** Datagrams that no client's counters hold. */
  readonly refused: number;
  readonly sendErrors: number;
}

export function directionReport(options: DirectionReportOptions): RelayDirectionReport {
  const { lossRuns, ...counters } = options.counters;
  const { offered, duplicated, delivered, lost, overflowed, inFlight } = counters;
  assert(offered + duplicated === delivered + lost + overflowed + inFlight, 'what went in came out or has a cause');
  const through = offered - overflowed;
  return {
    link: formatLinkSpecification(options.link),
    ...counters,
    refused: counters.refused + options.refused,
    sendErrors: options.sendErrors,
    lossShare: through === 0 ? null : lost / through,
    burstMean: lossRuns === 0 ? null : lost / lossRuns,
    latenessMs: latenessOf(options.lateness),
  };
}

function latenessOf(lateness: Histogram): RelayDirectionReport['latenessMs'] {
  const p50 = lateness.percentile(0.5);
  const p99 = lateness.percentile(0.99);
  if (p50 === undefined || p99 === undefined) return null;
  return { p50: p50 / 1_000, p99: p99 / 1_000, max: lateness.max / 1_000 };
}
