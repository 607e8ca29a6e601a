import type { Instant, Microseconds } from '../../protocol/base/instant.ts';
import type { ByteSequence } from './byte-sequence.ts';
import type { Flow } from './flow.ts';
import type { SentSegment } from './retransmission-queue.ts';

/** Whether one transmission came after another; of those of one instant, the one further on in the stream. */
export const sentAfter = (at: Instant, end: ByteSequence, otherAt: Instant, otherEnd: ByteSequence): boolean =>
  at > otherAt || (at === otherAt && end > otherEnd);

/**
 * What one acknowledgment tells of the delivery rate: so many segments were delivered between the sending of the newest
 * one that it covers and now (draft-cheng-iccrg-delivery-rate-estimation, `tcp_rate.c`).
 */
export class RateSample {
  /** Segments delivered over `interval`; -1: the acknowledgment tells nothing. */
  delivered = -1;
  interval: Microseconds = -1;
  applicationLimited = false;
  priorDelivered = -1;
  /** Newly delivered and newly lost segments. */
  acknowledged = 0;
  losses = 0;
  /** Of the newest segment covered; -1: none that would be unambiguous. */
  roundTrip: Microseconds = -1;
  /** It may have waited for the receiver's delayed acknowledgment. */
  maybeDelayed = false;
  /** It acknowledged everything up to a new place, or not. */
  advanced = false;
  priorInFlight = 0;
  #priorDeliveredAt: Instant = 0;
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
    this.interval = segment.sentAt - segment.firstSentBeforeAt;
  }

  /** All that the acknowledgment covers was noted. */
  finish(now: Instant, flow: Flow, deliveredBefore: number, lostBefore: number): void {
    if (flow.applicationLimitedUntil > 0 && flow.delivered > flow.applicationLimitedUntil) {
      flow.applicationLimitedUntil = 0;
    }
    this.acknowledged = flow.delivered - deliveredBefore;
    this.losses = flow.lost - lostBefore;
    if (this.acknowledged > 0) flow.deliveredAt = now;
    if (this.priorDelivered < 0) {
      this.interval = -1;
      return;
    }
    this.delivered = flow.delivered - this.priorDelivered;
    // Whichever took longer, sending or acknowledging: compressed acknowledgments must not raise the rate.
    this.interval = Math.max(this.interval, now - this.#priorDeliveredAt);
    if (this.interval < flow.roundTrip.minimum) this.interval = -1;
  }
}

/** Writes into a segment that is sent now what its sample will need. */
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

/** Before something is written: if the application kept the flow waiting, its samples say nothing about the path. */
export function noteApplicationLimit(flow: Flow, unsentBytes: number): void {
  if (unsentBytes >= flow.segmentBytes || flow.inFlight >= flow.congestionWindow) return;
  if (flow.lostOut > flow.retransmittedOut) return;
  flow.applicationLimitedUntil = Math.max(flow.delivered + flow.inFlight, 1);
}
