import { amountIn, type Instant, MILLISECOND, type Microseconds, microseconds } from '../../protocol/base/units.ts';
import type { LinkSpecification } from './link-specification.ts';
import type { CapacityTrace } from './stages/capacity-trace.ts';

/** Rate used for a link without a bottleneck, bytes per second: 100 Gb/s. */
const UNLIMITED = 12.5e9;

/** Capacity from `from` until the next piece: a constant rate in bytes per second, or a trace. */
interface Piece {
  readonly from: Microseconds;
  /** Bytes before `from`. */
  readonly base: number;
  readonly rate: number;
  readonly trace: CapacityTrace | undefined;
}

/**
 * Bytes that a link could have carried since its start: the service curve of its bottleneck. It contains the rate or
 * the recorded capacity, timed changes and outages; random loss is not part of it. After a change of the rate, the link
 * carries what is queued at the earlier rate, so that the curve may be passed by up to the queue's length.
 */
export class CapacityCurve {
  /** Shortest propagation delay of the link at any time. */
  readonly delay: Microseconds;
  /** Bytes of each opportunity's packet, when every packet takes a whole one; `undefined` when packets share them. */
  readonly packetBytes: number | undefined;
  readonly #pieces: readonly Piece[];

  private constructor(link: LinkSpecification, pieces: readonly Piece[], packetBytes: number | undefined) {
    this.packetBytes = packetBytes;
    this.#pieces = pieces;
    this.delay = microseconds(Math.min(link.delay, ...(link.changes ?? []).map((change) => change.link.delay)));
  }

  /**
   * Returns `undefined` for a link that never limits the rate, and for a netem link.
   *
   * @param packetBytes lets each opportunity of a trace carry one packet of this size, as published evaluations on
   * Mahimahi's traces count them. On our links, packets share opportunities.
   */
  static of(link: LinkSpecification, packetBytes?: number): CapacityCurve | undefined {
    const all = [link, ...(link.changes ?? []).map((change) => change.link)];
    const limits = all.some(({ rate, capacity, outages }) => rate > 0 || capacity || (outages?.length ?? 0) > 0);
    return limits && !link.netem ? new CapacityCurve(link, piecesOf(link, packetBytes), packetBytes) : undefined;
  }

  /** Bytes that could have left before an instant, exclusive: the curve's value for data that arrives then. */
  before(at: Instant): number {
    return this.#at(at, false);
  }

  /** Bytes that could have left up to an instant, inclusive. */
  through(at: Instant): number {
    return this.#at(at, true);
  }

  #at(at: Instant, inclusive: boolean): number {
    if (at < 0) return 0;
    let low = 0;
    let high = this.#pieces.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#pieces[middle]!.from <= at) low = middle;
      else high = middle - 1;
    }
    const { from, base, rate, trace } = this.#pieces[low]!;
    if (!trace) return base + amountIn(microseconds(at - from), rate);
    return base + traceBytes(trace, at, inclusive) - traceBytes(trace, from, false);
  }
}

/** Splits a link's time where its parameters change and where outages begin and end. */
function piecesOf(link: LinkSpecification, packetBytes: number | undefined): readonly Piece[] {
  const changes = [{ at: microseconds(0), link }, ...(link.changes ?? [])];
  const pieces: Piece[] = [];
  for (const [index, { at, link: current }] of changes.entries()) {
    const until = changes[index + 1]?.at ?? Number.POSITIVE_INFINITY;
    const { capacity } = current;
    const trace = capacity && packetBytes !== undefined ? { ...capacity, opportunityBytes: packetBytes } : capacity;
    const rate = current.rate > 0 ? current.rate / 8 : UNLIMITED;
    let from = at;
    for (const outage of current.outages ?? []) {
      if (outage.until <= from || outage.from >= until) continue;
      if (outage.from > from) append(pieces, { from, rate, trace });
      append(pieces, { from: microseconds(Math.max(from, outage.from)), rate: 0, trace: undefined });
      from = outage.until;
    }
    if (from < until) append(pieces, { from, rate, trace });
  }
  return pieces;
}

function append(pieces: Piece[], piece: Omit<Piece, 'base'>): void {
  const last = pieces.at(-1);
  pieces.push({ ...piece, base: last ? last.base + bytesOf(last, piece.from) : 0 });
}

const bytesOf = ({ from, rate, trace }: Piece, until: Microseconds): number =>
  trace ? traceBytes(trace, until, false) - traceBytes(trace, from, false) : amountIn(microseconds(until - from), rate);

/** Bytes of a looped trace from its start until an instant. */
function traceBytes({ opportunities, opportunityBytes }: CapacityTrace, at: number, inclusive: boolean): number {
  const ms = at / MILLISECOND;
  if (ms < 0 || (ms === 0 && !inclusive)) return 0;
  const length = opportunities[opportunities.length - 1]!;
  // In (0, length]: the last opportunity of a round precedes the first of the next one at the same instant.
  const round = Math.max(0, Math.ceil(ms / length) - 1);
  const within = ms - round * length;
  let low = 0;
  let high = opportunities.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const time = opportunities[middle]!;
    if (inclusive ? time <= within : time < within) low = middle + 1;
    else high = middle;
  }
  // The first opportunities of the next round may be at the same instant.
  const next = inclusive && within === length ? atStart(opportunities) : 0;
  return (round * opportunities.length + low + next) * opportunityBytes;
}

function atStart(opportunities: Uint32Array): number {
  let count = 0;
  while (opportunities[count] === 0) count++;
  return count;
}
