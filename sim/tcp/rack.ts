import { elapsed, type Instant, instant, type Microseconds, microseconds } from '../../protocol/base/units.ts';
import type { ByteSequence } from './byte-sequence.ts';
import { type Flow, isRecovering } from './flow.ts';
import { sentAfter } from './rate-sample.ts';
import type { RetransmissionQueue, SentSegment } from './retransmission-queue.ts';

/** Number of recoveries without a duplicate after which the reordering window shrinks again (RFC 8985 §6.2). */
const WINDOW_PERSISTS_RECOVERIES = 16;
const WINDOW_STEPS_MAX = 0xff;

/**
 * RACK (RFC 8985): a segment is lost when a segment sent later has been delivered and a reordering window has passed.
 * Retransmissions count as transmissions, so a lost retransmission is detected like any other.
 */
export class Rack {
  readonly #flow: Flow;
  readonly #queue: RetransmissionQueue;
  /** Properties of the most recently sent segment that was delivered. */
  #sentAt: Instant = instant(Number.NEGATIVE_INFINITY);
  #end: ByteSequence = 0;
  #roundTrip: Microseconds = microseconds(0);
  #advanced = false;
  /** Reordering window in quarters of the minimum round-trip time. */
  #windowSteps = 1;
  #windowPersists = 0;
  #duplicateSeen = false;
  #lastDelivered = 0;

  constructor(flow: Flow, queue: RetransmissionQueue) {
    this.#flow = flow;
    this.#queue = queue;
  }

  get roundTrip(): Microseconds {
    return this.#roundTrip;
  }

  /** Notes the delivery of a segment. */
  advance(now: Instant, segment: SentSegment): void {
    const roundTrip = elapsed(segment.sentAt, now);
    // Faster than the minimum round trip, so this acknowledges the original, not the retransmission.
    if (segment.transmissions > 1 && roundTrip < this.#flow.roundTrip.minimum) return;
    this.#advanced = true;
    this.#roundTrip = roundTrip;
    if (!sentAfter(segment.sentAt, segment.end, this.#sentAt, this.#end)) return;
    this.#sentAt = segment.sentAt;
    this.#end = segment.end;
  }

  /** Loss marks were undone: examine all segments again. */
  restart(): void {
    this.#advanced = true;
  }

  /** A duplicate was reported: the retransmission was spurious (§6.2 step 4). */
  noteDuplicate(): void {
    this.#duplicateSeen = true;
  }

  adaptWindow(priorDelivered: number): void {
    if (priorDelivered < 0) return;
    // Count at most one duplicate per round trip.
    if (priorDelivered < this.#lastDelivered) this.#duplicateSeen = false;
    if (this.#duplicateSeen) {
      this.#windowSteps = Math.min(WINDOW_STEPS_MAX, this.#windowSteps + 1);
      this.#duplicateSeen = false;
      this.#lastDelivered = this.#flow.delivered;
      this.#windowPersists = WINDOW_PERSISTS_RECOVERIES;
    } else if (this.#windowPersists === 0) this.#windowSteps = 1;
  }

  noteRecoveryEnded(): void {
    if (this.#windowPersists > 0) this.#windowPersists--;
  }

  /**
   * Marks lost segments after a new delivery. Returns the time until the next segment may be declared lost,
   * microseconds; 0: none.
   */
  detectAfterDelivery(now: Instant): Microseconds {
    if (!this.#advanced) return microseconds(0);
    this.#advanced = false;
    return this.detect(now);
  }

  /** Marks lost segments. @see RFC 8985 §6.2 step 5. */
  detect(now: Instant): Microseconds {
    const window = this.#reorderingWindow;
    let wait = microseconds(0);
    let next: SentSegment | undefined;
    for (let segment = this.#queue.earliest; segment; segment = next) {
      next = segment.later;
      // Segments marked by a timeout stay lost until retransmitted.
      if (segment.lost && !segment.retransmitted) continue;
      if (!sentAfter(this.#sentAt, this.#end, segment.sentAt, segment.end)) break;
      const remaining = this.remaining(now, segment, window);
      if (remaining <= 0) {
        this.#queue.markLost(segment);
        this.#queue.unlist(segment);
      } else wait = microseconds(Math.max(wait, remaining));
    }
    return wait;
  }

  /** Time until a transmission is declared lost, microseconds. */
  remaining(now: Instant, segment: SentSegment, window: Microseconds): Microseconds {
    return microseconds(this.#roundTrip + window - (now - segment.sentAt));
  }

  get #reorderingWindow(): Microseconds {
    const flow = this.#flow;
    // Until reordering is observed, react as fast as three duplicate acknowledgments.
    if (!flow.reorderingSeen && (isRecovering(flow.state) || flow.sackedOut >= flow.reordering)) return microseconds(0);
    const { minimum, smoothed } = flow.roundTrip;
    return microseconds(Math.min(Math.floor(minimum / 4) * this.#windowSteps, smoothed));
  }
}
