import { assert } from '../../protocol/base/assert.ts';
import type { Histogram } from '../../protocol/base/histogram.ts';
import { formatLinkSpecification } from '../../sim/link/link-format.ts';
import type { LinkSpecification } from '../../sim/link/link-specification.ts';
import type { DirectionCounters } from './relay-direction.ts';

/**
 * Counters of one direction of a relay, over all clients, in datagrams and bytes of UDP payload. Invariant: `offered +
 * duplicated = delivered + lost + overflowed + inFlight`.
 */
export interface RelayDirectionReport {
  /** Link specification in canonical form. */
  readonly link: string;
  readonly offered: number;
  readonly offeredBytes: number;
  /** Passed to the operating system, including duplicates and datagrams it then refused. */
  readonly delivered: number;
  readonly deliveredBytes: number;
  readonly lost: number;
  readonly overflowed: number;
  readonly duplicated: number;
  readonly corrupted: number;
  /** In flight, also when their client expired. */
  readonly inFlight: number;
  /** Never offered to a link: too many clients, or no memory. */
  readonly refused: number;
  /** Deliveries refused by the operating system or, by ICMP, by the other side. */
  readonly sendErrors: number;
  /** Share lost of the datagrams that passed the queue, 0 to 1; `null` when none passed. */
  readonly lossShare: number | null;
  /** Mean length of a run of losses, datagrams; `null` without losses. */
  readonly burstMean: number | null;
  /** Lateness of departures relative to the link's schedule, milliseconds; `null` without departures. */
  readonly latenessMs: { readonly p50: number; readonly p99: number; readonly max: number } | null;
}

/** Report of a relay, and source of all texts about it. */
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
  /** Datagrams dropped by the kernel before the relay could read them; `null` when unknown (Linux only). */
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

/** Sum of counters over clients. */
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
  /** Datagrams that are in no client's counters. */
  readonly refused: number;
  readonly sendErrors: number;
}

export function directionReport(options: DirectionReportOptions): RelayDirectionReport {
  const { lossRuns, ...counters } = options.counters;
  const { offered, duplicated, delivered, lost, overflowed, inFlight } = counters;
  assert(
    offered + duplicated === delivered + lost + overflowed + inFlight,
    'every datagram must have exactly one outcome',
  );
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
