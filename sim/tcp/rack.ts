import type { Instant, Microseconds } from '../../protocol/base/instant.ts';
import type { ByteSequence } from './byte-sequence.ts';
import { type Flow, isRecovering } from './flow.ts';
import { sentAfter } from './rate-sample.ts';
import type { RetransmissionQueue, SentSegment } from './retransmission-queue.ts';

/** RFC 8985 §6.2: so many recoveries without a duplicate, and the reordering window is small again. */
const WINDOW_PERSISTS_RECOVERIES = 16;
const WINDOW_STEPS_MAX = 0xff;

/**
 * RACK (RFC 8985): a segment is lost when one that was sent later has been delivered, and a reordering window has passed
 * as well. Each transmission counts, so that a retransmission that is lost is found like any other.
 */
export class Rack {
  readonly #flow: Flow;
  readonly #queue: RetransmissionQueue;
  /** Of the newest transmission that was delivered. */
  #sentAt: Instant = Number.NEGATIVE_INFINITY;
  #end: ByteSequence = 0;
  #roundTrip: Microseconds = 0;
  #advanced = false;
  /** The reordering window in quarters of the smallest round trip. */
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

  /** A segment was delivered. */
  advance(now: Instant, segment: SentSegment): void {
    const roundTrip = now - segment.sentAt;
    // The acknowledgment may be the original's: a retransmission cannot have come back that fast.
    if (segment.transmissions > 1 && roundTrip < this.#flow.roundTrip.minimum) return;
    this.#advanced = true;
    this.#roundTrip = roundTrip;
    if (!sentAfter(segment.sentAt, segment.end, this.#sentAt, this.#end)) return;
    this.#sentAt = segment.sentAt;
    this.#end = segment.end;
  }

  /** The marks of loss were taken back: all is to be looked at again. */
  restart(): void {
    this.#advanced = true;
  }

  /** The receiver told that something came twice: we were too fast (§6.2 step 4). */
  noteDuplicate(): void {
    this.#duplicateSeen = true;
  }

  adaptWindow(priorDelivered: number): void {
    if (priorDelivered < 0) return;
    // One round trip has to pass before another duplicate counts.
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

  /** Marks what is lost once something new was delivered; how long to wait for what may be lost: 0, nothing. */
  detectAfterDelivery(now: Instant): Microseconds {
    if (!this.#advanced) return 0;
    this.#advanced = false;
    return this.detect(now);
  }

  /** @see RFC 8985 §6.2 step 5. */
  detect(now: Instant): Microseconds {
    const window = this.#reorderingWindow;
    let wait = 0;
    let next: SentSegment | undefined;
    for (let segment = this.#queue.earliest; segment; segment = next) {
      next = segment.later;
      // What a timeout marked is lost already, until it is sent again.
      if (segment.lost && !segment.retransmitted) continue;
      if (!sentAfter(this.#sentAt, this.#end, segment.sentAt, segment.end)) break;
      const remaining = this.remaining(now, segment, window);
      if (remaining <= 0) {
        this.#queue.markLost(segment);
        this.#queue.unlist(segment);
      } else wait = Math.max(wait, remaining);
    }
    return wait;
  }

  /** How long a transmission may still take before it counts as lost. */
  remaining(now: Instant, segment: SentSegment, window: Microseconds): Microseconds {
    return this.#roundTrip + window - (now - segment.sentAt);
  }

  get #reorderingWindow(): Microseconds {
    const flow = this.#flow;
    // As eager as three duplicate acknowledgments, until the path has shown that it reorders.
    if (!flow.reorderingSeen && (isRecovering(flow.state) || flow.sackedOut >= flow.reordering)) return 0;
    const { minimum, smoothed } = flow.roundTrip;
    return Math.min(Math.floor(minimum / 4) * this.#windowSteps, smoothed);
  }
}
