import { elapsed, type Instant, instant, type Microseconds, microseconds } from '../../protocol/base/units.ts';
import type { ByteSequence } from './byte-sequence.ts';
import type { Flow } from './flow.ts';
import type { SentSegment } from './retransmission-queue.ts';

/** True when one transmission is later than another; at the same instant, the one further on in the stream is later. */
export const sentAfter = (at: Instant, end: ByteSequence, otherAt: Instant, otherEnd: ByteSequence): boolean =>
  at > otherAt || (at === otherAt && end > otherEnd);

/**
 * Delivery-rate sample of one acknowledgment: segments delivered since the newest acknowledged segment was sent
 * (draft-cheng-iccrg-delivery-rate-estimation, `tcp_rate.c`).
 */
export class RateSample {
  /** Segments delivered over `interval`; -1: no sample. */
  delivered = -1;
  interval: Microseconds = microseconds(-1);
  applicationLimited = false;
  priorDelivered = -1;
  /** Newly delivered and newly lost segments. */
  acknowledged = 0;
  losses = 0;
  /** Round-trip time of the newest acknowledged segment, microseconds; -1: none or ambiguous. */
  roundTrip: Microseconds = microseconds(-1);
  /** True when the receiver may have delayed the acknowledgment. */
  maybeDelayed = false;
  /** True when the acknowledgment advanced SND.UNA. */
  advanced = false;
  priorInFlight = 0;
  #priorDeliveredAt: Instant = instant(0);
  #newestEnd: ByteSequence = 0;

  noteDelivered(flow: Flow, segment: SentSegment): void {
    if (segment.rateCounted) return;
    segment.rateCounted = true;
    if (this.priorDelivered >= 0 && !sentAfter(segment.sentAt, segment.end, flow.firstSentAt, this.#newestEnd)) return;
    this.priorDelivered = segment.deliveredBefore;
    this.#priorDeliveredAt = segment.deliveredBeforeAt;
    this.applicationLimited = segment.applicationLimited;
    this.#newestEnd = segment.end;
    flow.firstSentAt = segment.sentAt;
    this.interval = elapsed(segment.firstSentBeforeAt, segment.sentAt);
  }

  /** Completes the sample after all acknowledged segments were noted. */
  finish(now: Instant, flow: Flow, deliveredBefore: number, lostBefore: number): void {
    if (flow.applicationLimitedUntil > 0 && flow.delivered > flow.applicationLimitedUntil) {
      flow.applicationLimitedUntil = 0;
    }
    this.acknowledged = flow.delivered - deliveredBefore;
    this.losses = flow.lost - lostBefore;
    if (this.acknowledged > 0) flow.deliveredAt = now;
    if (this.priorDelivered < 0) {
      this.interval = microseconds(-1);
      return;
    }
    this.delivered = flow.delivered - this.priorDelivered;
    // The longer of send and ACK interval: compressed acknowledgments must not inflate the rate.
    this.interval = microseconds(Math.max(this.interval, now - this.#priorDeliveredAt));
    if (this.interval < flow.roundTrip.minimum) this.interval = microseconds(-1);
  }
}

/** Stores the delivery state in a segment at its transmission. */
export function stampForRate(now: Instant, flow: Flow, segment: SentSegment): void {
  if (flow.packetsOut === 0) {
    flow.firstSentAt = now;
    flow.deliveredAt = now;
  }
  segment.firstSentBeforeAt = flow.firstSentAt;
  segment.deliveredBefore = flow.delivered;
  segment.deliveredBeforeAt = flow.deliveredAt;
  segment.applicationLimited = flow.applicationLimitedUntil > 0;
  segment.rateCounted = false;
}

/** Marks samples as application-limited when the application, rather than the path, keeps the flow from sending. */
export function noteApplicationLimit(flow: Flow, unsentBytes: number): void {
  if (unsentBytes >= flow.segmentBytes || flow.inFlight >= flow.congestionWindow) return;
  if (flow.lostOut > flow.retransmittedOut) return;
  flow.applicationLimitedUntil = Math.max(flow.delivered + flow.inFlight, 1);
}
