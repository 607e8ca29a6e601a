import { Histogram } from '../../protocol/base/histogram.ts';
import {
  type Instant,
  inMilliseconds,
  instant,
  type Microseconds,
  microseconds,
  milliseconds,
  perSecond,
} from '../../protocol/base/units.ts';
import { CE } from '../../protocol/ecn.ts';
import type { CapacityCurve } from '../../sim/link/capacity-curve.ts';
import type { LinkOutcome } from '../../sim/link/datagram-fate.ts';
import type { FlowFigures, FlowRate } from './flow-tables.ts';

/** Width of a bin of the rates over time. */
const BIN: Microseconds = milliseconds(500);

/** A time span: `from` inclusive, `until` exclusive. */
export interface Span {
  readonly from: Instant;
  readonly until: Instant;
}

interface Bin {
  bytes: number;
  waited: number;
  datagrams: number;
}

/** Counts the traffic of one flow in one direction of a shared link. */
export class FlowMeter {
  readonly #measured: Span;
  readonly #bins: Bin[] = [];
  readonly #waited = new Histogram();
  #bytes = 0;
  #waitedSum = 0;
  #datagrams = 0;
  #dropped = 0;
  #marked = 0;

  /** @param measured time in which outcomes are counted in the figures. */
  constructor(measured: Span) {
    this.#measured = measured;
  }

  /** The time in which outcomes are counted. */
  get measured(): Span {
    return this.#measured;
  }

  /** Enters an outcome of a datagram of the flow. */
  add({ at, bytes, waited, ecn, fate }: LinkOutcome): void {
    const isDropped = fate === 'overflowed';
    if (!isDropped) {
      const bin = this.#binAt(at);
      bin.bytes += bytes;
      bin.waited += waited;
      bin.datagrams++;
    }
    if (at < this.#measured.from || at >= this.#measured.until) return;
    this.#datagrams++;
    if (isDropped) {
      this.#dropped++;
      return;
    }
    if (ecn === CE) this.#marked++;
    this.#bytes += bytes;
    this.#waitedSum += waited;
    this.#waited.add(waited);
  }

  /** Bytes that left the queue in whole bins of a span. */
  bytesIn({ from, until }: Span): number {
    let sum = 0;
    for (let bin = Math.ceil(from / BIN); (bin + 1) * BIN <= until; bin++) sum += this.#bins[bin]?.bytes ?? 0;
    return sum;
  }

  /** @param capacity of the direction. @param present number of flows of the direction at a time. */
  figures(
    capacity: CapacityCurve | undefined,
    present: (at: Instant) => number,
  ): Omit<FlowFigures, 'flow' | 'flowLoad' | 'flowDirection' | 'jain'> {
    const { from, until } = this.#measured;
    const passed = this.#datagrams - this.#dropped;
    const fair = capacity && fairBytes(capacity, present, this.#measured);
    const possible = capacity && capacity.before(until) - capacity.before(from);
    return {
      flowFromMs: inMilliseconds(from),
      flowUntilMs: inMilliseconds(until),
      flowRate: until > from ? Math.round(perSecond(this.#bytes * 8, microseconds(until - from))) : 0,
      capacityShare: possible ? this.#bytes / possible : null,
      fairRatio: fair ? this.#bytes / fair : null,
      queueUsMean: passed > 0 ? Math.round(this.#waitedSum / passed) : null,
      queueUsP95: this.#waited.percentile(0.95) ?? null,
      flowDatagrams: this.#datagrams,
      flowDropped: this.#dropped,
      flowMarked: this.#marked,
    };
  }

  /** Returns the rates over time up to `end`. */
  rates(flow: string, capacity: CapacityCurve | undefined, end: Instant): FlowRate[] {
    const perBin = (bytes: number): number => Math.round(perSecond(bytes * 8, BIN));
    return Array.from({ length: Math.ceil(end / BIN) }, (_, bin) => {
      const { bytes, waited, datagrams } = this.#bins[bin] ?? { bytes: 0, waited: 0, datagrams: 0 };
      const [from, until] = [instant(bin * BIN), instant((bin + 1) * BIN)];
      return {
        flow,
        atMs: inMilliseconds(from),
        rate: perBin(bytes),
        capacity: capacity ? perBin(capacity.before(until) - capacity.before(from)) : null,
        queueUs: datagrams > 0 ? Math.round(waited / datagrams) : null,
      };
    });
  }

  #binAt(at: Instant): Bin {
    const index = Math.floor(at / BIN);
    while (this.#bins.length <= index) this.#bins.push({ bytes: 0, waited: 0, datagrams: 0 });
    return this.#bins[index]!;
  }
}

/** Bytes of an equal share of the capacity among the flows present at each time. */
function fairBytes(capacity: CapacityCurve, present: (at: Instant) => number, { from, until }: Span): number {
  let sum = 0;
  for (let at = from; at < until; ) {
    const next = instant(Math.min(until, (Math.floor(at / BIN) + 1) * BIN));
    sum += (capacity.before(next) - capacity.before(at)) / Math.max(1, present(at));
    at = next;
  }
  return sum;
}

/** Jain's fairness index (R. Jain et al., DEC-TR-301, 1984): 1 when all are equal, 1/n when one has everything. */
export function jainIndex(rates: readonly number[]): number | null {
  const squares = rates.reduce((sum, rate) => sum + rate * rate, 0);
  if (rates.length < 2 || squares === 0) return null;
  return rates.reduce((sum, rate) => sum + rate, 0) ** 2 / (rates.length * squares);
}
