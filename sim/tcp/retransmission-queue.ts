import type { Instant } from '../../protocol/base/instant.ts';
import type { ByteSequence } from './byte-sequence.ts';
import type { Flow } from './flow.ts';

/** A segment that was sent and is not acknowledged cumulatively yet. It is sent again as it was, never cut anew. */
export class SentSegment {
  readonly start: ByteSequence;
  /** One after the last byte; a FIN is the last byte. */
  readonly end: ByteSequence;
  readonly finish: boolean;
  /** When it was sent last. */
  sentAt: Instant = 0;
  transmissions = 0;
  /** The last of those that were handed to the device together. */
  endsBurst = false;
  sacked = false;
  lost = false;
  /** Sent again, and nothing is known of that transmission yet. */
  retransmitted = false;

  /** What the delivery rate's sample needs, as of the last transmission (draft-cheng-iccrg-delivery-rate-estimation). */
  deliveredBefore = 0;
  deliveredBeforeAt: Instant = 0;
  firstSentBeforeAt: Instant = 0;
  applicationLimited = false;
  rateCounted = false;

  /** Neighbours in the order of sending. */
  earlier: SentSegment | undefined;
  later: SentSegment | undefined;
  listed = false;

  constructor(start: ByteSequence, end: ByteSequence, finish: boolean) {
    this.start = start;
    this.end = end;
    this.finish = finish;
  }
}

/** All that is in flight, in two orders: of the stream, and of sending. Keeps the flow's counts of it true. */
export class RetransmissionQueue {
  readonly #flow: Flow;
  readonly #segments: SentSegment[] = [];
  #head = 0;
  #earliest: SentSegment | undefined;
  #latest: SentSegment | undefined;
  /** No segment before this place is lost and waits to be sent again. */
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

  /** Of those not selectively acknowledged nor taken out of the order of sending, the one sent the longest ago. */
  get earliest(): SentSegment | undefined {
    return this.#earliest;
  }

  push(segment: SentSegment): void {
    this.#segments.push(segment);
    this.#flow.packetsOut++;
    this.#append(segment);
  }

  /** Takes out the head: it is acknowledged. */
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

  /** Segments that begin at `from` or later, in the order of the stream, up to those that begin at `until`. */
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
   * A segment that was sent again already is lost anew. It keeps its place in the order of sending: after a needless timeout
   * the marks are taken back, and then it has to be looked at like any other.
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

  /** It was no loss after all. */
  unmarkAll(): void {
    for (const segment of this.between(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)) segment.lost = false;
    this.#flow.lostOut = 0;
    this.#lostFrom = Number.POSITIVE_INFINITY;
  }

  /** The first segment that is lost and was not sent again. */
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

  /** It was sent just now, so it is the latest; its time is set before. */
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
