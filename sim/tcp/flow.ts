import { type Instant, instant, type Microseconds } from '../../protocol/base/units.ts';
import type { ByteSequence } from './byte-sequence.ts';
import { RoundTripEstimator } from './round-trip-estimator.ts';

/**
 * State of loss recovery: no anomaly; out-of-order data seen; window reduction without known loss; fast recovery with
 * retransmissions; recovery after a timeout, with all segments marked lost.
 */
export type RecoveryState = 'open' | 'disorder' | 'reduction' | 'recovery' | 'loss';

export const isRecovering = (state: RecoveryState): boolean => state === 'recovery' || state === 'loss';

/** Initial window, segments (RFC 6928). */
export const INITIAL_WINDOW = 10;
/** Initial slow start threshold: unlimited until the first loss (RFC 5681 §3.1). */
export const THRESHOLD_INFINITE = 0x7fff_ffff;

/** Initial reordering estimate of Linux, segments (`net.ipv4.tcp_reordering`). */
export const REORDERING_INITIAL = 3;

/** Upper bound of the reordering estimate, segments (`net.ipv4.tcp_max_reordering`). */
const REORDERING_MAX = 300;

/** Shared state of the sending direction (RFC 9293 §3.3.1, RFC 5681, RFC 6675). Windows in segments. */
export class Flow {
  /** Payload of a full segment, bytes. */
  readonly segmentBytes: number;
  readonly roundTrip = new RoundTripEstimator();
  state: RecoveryState = 'open';
  /** SND.UNA: the first unacknowledged byte. */
  unacknowledged: ByteSequence;
  /** SND.NXT: the first byte never sent. */
  next: ByteSequence;
  /** SND.NXT when the current state began; its acknowledgment ends the episode. */
  highSequence: ByteSequence;

  congestionWindow = INITIAL_WINDOW;
  /** Segments acknowledged since the last window increment. */
  windowCount = 0;
  slowStartThreshold = THRESHOLD_INFINITE;
  priorWindow = 0;
  /** Bytes per second; 0: no pacing. */
  pacingRate = 0;

  packetsOut = 0;
  sackedOut = 0;
  lostOut = 0;
  /** Retransmitted segments neither acknowledged nor lost again. */
  retransmittedOut = 0;
  /** Reordering estimate, segments. */
  reordering = REORDERING_INITIAL;
  reorderingSeen = false;

  /** Segments known to have arrived, and segments declared lost; both monotonic. */
  delivered = 0;
  lost = 0;
  deliveredAt: Instant = instant(0);
  /** Send time of the first segment of the current delivery-rate sample. */
  firstSentAt: Instant = instant(0);
  /** Rate samples are application-limited until this number of delivered segments; 0: not limited. */
  applicationLimitedUntil = 0;

  /** True when the window, not the application, limited sending. */
  windowLimited = false;
  /** Maximum of segments in flight during the last round. */
  packetsOutMax = 0;
  lastSentAt: Instant = instant(0);

  /** End of the highest sacked byte range. */
  highestSacked: ByteSequence;

  constructor(segmentBytes: number, start: ByteSequence) {
    this.segmentBytes = segmentBytes;
    this.unacknowledged = start;
    this.next = start;
    this.highSequence = start;
    this.highestSacked = start;
  }

  /** Segments in flight ("pipe", RFC 6675 §3). */
  get inFlight(): number {
    return this.packetsOut - this.sackedOut - this.lostOut + this.retransmittedOut;
  }

  get inSlowStart(): boolean {
    return this.congestionWindow < this.slowStartThreshold;
  }

  get inReduction(): boolean {
    return this.state === 'reduction' || this.state === 'recovery';
  }

  /** Threshold to restore after a spurious reduction: at least three quarters of the window. */
  get currentThreshold(): number {
    if (this.inReduction) return this.slowStartThreshold;
    return Math.max(this.slowStartThreshold, (this.congestionWindow >> 1) + (this.congestionWindow >> 2));
  }

  /** True when the window may grow: it must be in use (RFC 7661), in slow start at least half of it. */
  get mayGrow(): boolean {
    return this.windowLimited || (this.inSlowStart && this.congestionWindow < 2 * this.packetsOutMax);
  }

  /** Updates the reordering estimate after a segment was acknowledged later than its successors. */
  noteReordering(overtaken: ByteSequence): void {
    if (overtaken >= this.highestSacked) return;
    const segments = Math.ceil((this.highestSacked - overtaken) / this.segmentBytes);
    this.reordering = Math.min(Math.max(this.reordering, segments), REORDERING_MAX);
    this.reorderingSeen = true;
  }

  /** @param newest sample of the segment sent last. @param measured sample of the segment sent first. */
  noteRoundTrip(now: Instant, newest: Microseconds, measured: Microseconds): void {
    this.roundTrip.noteMinimum(now, newest);
    this.roundTrip.update(measured, this.unacknowledged, this.next);
  }
}
