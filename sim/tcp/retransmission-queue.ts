import { type Instant, instant } from '../../protocol/base/units.ts';
import type { ByteSequence } from './byte-sequence.ts';
import type { Flow } from './flow.ts';

/** A segment that was sent and is not cumulatively acknowledged. Retransmissions keep its boundaries. */
export class SentSegment {
  readonly start: ByteSequence;
  /** End, exclusive; a FIN counts as the last byte. */
  readonly end: ByteSequence;
  readonly finish: boolean;
  /** Time of the last transmission. */
  sentAt: Instant = instant(0);
  transmissions = 0;
  /** True for the last segment of a burst handed to the device at once. */
  endsBurst = false;
  sacked = false;
  lost = false;
  /** True when retransmitted and neither acknowledged nor lost since. */
  retransmitted = false;

  /** State for the delivery-rate sample, as of the last transmission (draft-cheng-iccrg-delivery-rate-estimation). */
  deliveredBefore = 0;
  deliveredBeforeAt: Instant = instant(0);
  firstSentBeforeAt: Instant = instant(0);
  applicationLimited = false;
  rateCounted = false;

  /** Neighbors in transmission order. */
  earlier: SentSegment | undefined;
  later: SentSegment | undefined;
  listed = false;

  constructor(start: ByteSequence, end: ByteSequence, finish: boolean) {
    this.start = start;
    this.end = end;
    this.finish = finish;
  }
}

/** Segments in flight in two orders, stream order and transmission order. Maintains the counts of the flow. */
export class RetransmissionQueue {
  readonly #flow: Flow;
  readonly #segments: SentSegment[] = [];
  #head = 0;
  #earliest: SentSegment | undefined;
  #latest: SentSegment | undefined;
  /** Lower bound of the position of lost segments that wait for retransmission. */
  #lostFrom: ByteSequence = Number.POSITIVE_INFINITY;

  constructor(flow: Flow) {
    this.#flow = flow;
  }

  get head(): SentSegment | undefined {
    return this.#segments[this.#head];
  }

  get last(): SentSegment | undefined {
    return this.#head < this.#segments.length ? this.#segments[this.#segments.length - 1] : undefined;
  }

  /** The segment sent longest ago, among those that are neither sacked nor unlisted. */
  get earliest(): SentSegment | undefined {
    return this.#earliest;
  }

  push(segment: SentSegment): void {
    this.#segments.push(segment);
    this.#flow.packetsOut++;
    this.#append(segment);
  }

  /** Removes the acknowledged head. */
  shift(): SentSegment {
    const segment = this.#segments[this.#head++]!;
    const flow = this.#flow;
    flow.packetsOut--;
    if (segment.sacked) flow.sackedOut--;
    if (segment.lost) flow.lostOut--;
    if (segment.retransmitted) flow.retransmittedOut--;
    this.unlist(segment);
    if (this.#head >= 256 && this.#head * 2 >= this.#segments.length) {
      this.#segments.splice(0, this.#head);
      this.#head = 0;
    }
    return segment;
  }

  /** Segments with start in [from, until), in stream order. */
  *between(from: ByteSequence, until: ByteSequence): Generator<SentSegment> {
    for (let index = this.#find(from); ; index++) {
      const segment = this.#segments[index];
      if (segment === undefined || segment.start >= until) return;
      yield segment;
    }
  }

  markSacked(segment: SentSegment): void {
    const flow = this.#flow;
    if (segment.lost && segment.retransmitted) {
      segment.retransmitted = false;
      flow.retransmittedOut--;
    }
    if (segment.lost) {
      segment.lost = false;
      flow.lostOut--;
    }
    segment.sacked = true;
    flow.sackedOut++;
    this.unlist(segment);
  }

  /**
   * Marks a segment lost, again if it was retransmitted. It keeps its place in transmission order, because the mark may
   * be undone after a spurious timeout.
   */
  markLost(segment: SentSegment): void {
    if (segment.sacked) return;
    const flow = this.#flow;
    if (segment.lost && !segment.retransmitted) return;
    if (segment.retransmitted) {
      segment.retransmitted = false;
      flow.retransmittedOut--;
    }
    if (!segment.lost) {
      segment.lost = true;
      flow.lostOut++;
    }
    flow.lost++;
    this.#lostFrom = Math.min(this.#lostFrom, segment.start);
  }

  /** Removes all loss marks after a spurious timeout. */
  unmarkAll(): void {
    for (const segment of this.between(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)) segment.lost = false;
    this.#flow.lostOut = 0;
    this.#lostFrom = Number.POSITIVE_INFINITY;
  }

  /** Returns the first lost segment that was not retransmitted. */
  nextLost(): SentSegment | undefined {
    if (this.#flow.lostOut === 0) return undefined;
    for (const segment of this.between(this.#lostFrom, Number.POSITIVE_INFINITY)) {
      if (!segment.lost || segment.retransmitted) continue;
      this.#lostFrom = segment.start;
      return segment;
    }
    this.#lostFrom = Number.POSITIVE_INFINITY;
    return undefined;
  }

  /** Moves a segment to the end of the transmission order. Its `sentAt` must already be set. */
  moveToLatest(segment: SentSegment): void {
    this.unlist(segment);
    this.#append(segment);
  }

  unlist(segment: SentSegment): void {
    if (!segment.listed) return;
    segment.listed = false;
    const { earlier, later } = segment;
    if (earlier) earlier.later = later;
    else this.#earliest = later;
    if (later) later.earlier = earlier;
    else this.#latest = earlier;
    segment.earlier = undefined;
    segment.later = undefined;
  }

  #append(segment: SentSegment): void {
    segment.listed = true;
    segment.earlier = this.#latest;
    if (this.#latest) this.#latest.later = segment;
    else this.#earliest = segment;
    this.#latest = segment;
  }

  #find(from: ByteSequence): number {
    let low = this.#head;
    let high = this.#segments.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#segments[middle]!.start < from) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
