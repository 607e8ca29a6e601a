import {
  elapsed,
  type Instant,
  type Microseconds,
  microseconds,
  milliseconds,
  wholeMilliseconds,
} from '../../protocol/base/units.ts';
import type { AcknowledgmentFields, AcknowledgmentNews } from './acknowledgment.ts';
import type { CongestionControl } from './congestion-control.ts';
import type { Flow } from './flow.ts';
import type { Rack } from './rack.ts';
import type { RateSample } from './rate-sample.ts';
import type { ByteRange } from './receive-buffer.ts';
import type { RetransmissionQueue, SentSegment } from './retransmission-queue.ts';

/** Processes acknowledgments: removes or marks the acknowledged segments, and takes round-trip samples. */
export class AcknowledgmentIntake {
  readonly #flow: Flow;
  readonly #queue: RetransmissionQueue;
  readonly #rack: Rack;
  readonly #congestionControl: CongestionControl;
  /** SACK blocks of the previous acknowledgment; the segments in them need not be visited again. */
  #known: readonly ByteRange[] = [];

  constructor(flow: Flow, queue: RetransmissionQueue, rack: Rack, congestionControl: CongestionControl) {
    this.#flow = flow;
    this.#queue = queue;
    this.#rack = rack;
    this.#congestionControl = congestionControl;
  }

  /** Returns the D-SACK block, if the first block reports a duplicate (RFC 2883 §4). */
  duplicateOf({ blocks, acknowledgment }: AcknowledgmentFields): ByteRange | undefined {
    const [first, second] = blocks;
    if (!first) return undefined;
    if (first.start < acknowledgment) return first;
    return second && first.start >= second.start && first.end <= second.end ? first : undefined;
  }

  /** Processes the SACK blocks. @param reorders true when a gap indicates reordering; false after a timeout. */
  takeBlocks(
    now: Instant,
    fields: AcknowledgmentFields,
    news: AcknowledgmentNews,
    sample: RateSample,
    reorders: boolean,
  ): void {
    const flow = this.#flow;
    const duplicate = this.duplicateOf(fields);
    const blocks = fields.blocks.filter(
      (block) =>
        block !== duplicate && block.start < block.end && block.end <= flow.next && block.end > flow.unacknowledged,
    );
    if (flow.sackedOut === 0) flow.highestSacked = flow.unacknowledged;
    const highest = flow.highestSacked;
    let overtaken = Number.POSITIVE_INFINITY;
    for (const block of [...blocks].sort((one, other) => one.start - other.start)) {
      const known = this.#known.find(({ start, end }) => start <= block.start && end >= block.start);
      for (const segment of this.#queue.between(known ? known.end : block.start, block.end)) {
        if (segment.end > block.end) break;
        if (segment.sacked) continue;
        if (this.#takeSacked(now, segment, news, sample) && segment.start < highest) {
          overtaken = Math.min(overtaken, segment.start);
        }
      }
    }
    this.#known = blocks;
    if (reorders) flow.noteReordering(overtaken);
  }

  /** Removes all segments below SND.UNA. */
  takeCumulative(now: Instant, news: AcknowledgmentNews, sample: RateSample): void {
    const flow = this.#flow;
    const priorSacked = flow.sackedOut;
    let overtaken = Number.POSITIVE_INFINITY;
    let first: Instant | undefined;
    let last: Instant | undefined;
    let segments = 0;
    for (let head = this.#queue.head; head && head.end <= flow.unacknowledged; head = this.#queue.head) {
      this.#queue.shift();
      segments++;
      news.acknowledged = true;
      if (head.transmissions > 1) news.retransmissionAcknowledged = true;
      else if (!head.sacked) {
        last = head.sentAt;
        first ??= head.sentAt;
        if (head.start < news.priorHighest) overtaken = Math.min(overtaken, head.start);
        if (head.end <= flow.highSequence) news.originalArrived = true;
      }
      if (!head.sacked) {
        flow.delivered++;
        if (!this.#isSpurious(head, news)) this.#rack.advance(now, head);
      }
      sample.noteDelivered(flow, head);
    }
    sample.maybeDelayed = segments === 1 && priorSacked === 0 && !news.sacked;
    flow.noteReordering(overtaken);
    this.#noteRoundTrip(now, news, sample, first, last);
  }

  #takeSacked(now: Instant, segment: SentSegment, news: AcknowledgmentNews, sample: RateSample): boolean {
    const flow = this.#flow;
    const original = segment.transmissions === 1;
    this.#rack.advance(now, segment);
    if (original) {
      if (segment.end <= flow.highSequence) news.originalArrived = true;
      news.sackedFirstSentAt ??= segment.sentAt;
      news.sackedLastSentAt = segment.sentAt;
    }
    this.#queue.markSacked(segment);
    flow.delivered++;
    news.sacked = true;
    sample.noteDelivered(flow, segment);
    flow.highestSacked = Math.max(flow.highestSacked, segment.end);
    return original;
  }

  /**
   * True when a retransmitted segment was acknowledged by its original: the echoed timestamp is older (Eifel, RFC
   * 3522).
   */
  #isSpurious(segment: SentSegment, { echo }: AcknowledgmentNews): boolean {
    return segment.transmissions > 1 && echo !== undefined && echo < wholeMilliseconds(segment.sentAt);
  }

  #noteRoundTrip(
    now: Instant,
    news: AcknowledgmentNews,
    sample: RateSample,
    first: Instant | undefined,
    last: Instant | undefined,
  ): void {
    const flow = this.#flow;
    let measured: Microseconds | undefined;
    let newest: Microseconds | undefined;
    // Karn's algorithm: no samples from retransmitted segments.
    if (first !== undefined && last !== undefined && !news.retransmissionAcknowledged) {
      measured = elapsed(first, now);
      newest = elapsed(last, now);
    }
    const sackRoundTrip = news.sackedFirstSentAt === undefined ? undefined : elapsed(news.sackedFirstSentAt, now);
    if (news.sackedLastSentAt !== undefined) newest = elapsed(news.sackedLastSentAt, now);
    measured ??= sackRoundTrip;
    if (measured === undefined && news.echo !== undefined && news.acknowledged) {
      measured = milliseconds(Math.max(wholeMilliseconds(now) - news.echo, 1));
      newest = measured;
    }
    sample.roundTrip = newest ?? microseconds(-1);
    if (measured !== undefined && newest !== undefined) flow.noteRoundTrip(now, newest, measured);
    const head = this.#queue.head;
    // A sacked segment is no evidence about the head if the head was retransmitted after it.
    if (news.acknowledged) news.restartsTimer = true;
    else if (head && sackRoundTrip !== undefined && sackRoundTrip > now - head.sentAt) news.restartsTimer = true;
    if (newest !== undefined) this.#congestionControl.noteRoundTrip(now, newest);
  }
}
