import type { Instant, Microseconds } from '../../protocol/base/instant.ts';
import type { ByteSequence } from './byte-sequence.ts';
import { RoundTripEstimator } from './round-trip-estimator.ts';

/**
 * Where loss recovery stands: nothing unusual; something came out of order; the window is being reduced though nothing
 * is known to be lost; lost segments are sent again (fast recovery); a timeout passed and all counts as lost.
 */
export type RecoveryState = 'open' | 'disorder' | 'reduction' | 'recovery' | 'loss';

export const isRecovering = (state: RecoveryState): boolean => state === 'recovery' || state === 'loss';

/** RFC 6928. */
export const INITIAL_WINDOW = 10;
/** No loss was seen yet: slow start has no end (RFC 5681 §3.1). */
export const THRESHOLD_INFINITE = 0x7fff_ffff;

/** Linux' first guess of how far reordering reaches, in segments (`net.ipv4.tcp_reordering`). */
export const REORDERING_INITIAL = 3;

/** `net.ipv4.tcp_max_reordering`. */
const REORDERING_MAX = 300;

/** The variables of the sending direction that its parts share (RFC 9293 §3.3.1, RFC 5681, RFC 6675). Windows in segments. */
export class Flow {
  /** Payload bytes of a full segment. */
  readonly segmentBytes: number;
  readonly roundTrip = new RoundTripEstimator();
  state: RecoveryState = 'open';
  /** SND.UNA: the first byte that is not acknowledged. */
  unacknowledged: ByteSequence;
  /** SND.NXT: the first byte that was never sent. */
  next: ByteSequence;
  /** SND.NXT as it was when the state began: once it is acknowledged, the episode is over. */
  highSequence: ByteSequence;

  congestionWindow = INITIAL_WINDOW;
  /** Segments acknowledged since the window grew last. */
  windowCount = 0;
  slowStartThreshold = THRESHOLD_INFINITE;
  priorWindow = 0;
  /** Bytes a second; 0: nothing is paced. */
  pacingRate = 0;

  packetsOut = 0;
  sackedOut = 0;
  lostOut = 0;
  /** Sent again, and that transmission neither acknowledged nor lost yet. */
  retransmittedOut = 0;
  /** How far reordering reached, in segments. */
  reordering = REORDERING_INITIAL;
  reorderingSeen = false;

  /** Segments that arrived, by all that we know, and those that were declared lost; never decreasing. */
  delivered = 0;
  lost = 0;
  deliveredAt: Instant = 0;
  /** When the first segment of the newest sample of the delivery rate was sent. */
  firstSentAt: Instant = 0;
  /** Samples are limited by the application until so many segments are delivered; 0: they are not. */
  applicationLimitedUntil = 0;

  /** Whether the window, and not the application, held back what could have been sent. */
  windowLimited = false;
  /** The most segments in flight of the last round. */
  packetsOutMax = 0;
  lastSentAt: Instant = 0;

  /** One after the last byte that was acknowledged selectively. */
  highestSacked: ByteSequence;

  constructor(segmentBytes: number, start: ByteSequence) {
    this.segmentBytes = segmentBytes;
    this.unacknowledged = start;
    this.next = start;
    this.highSequence = start;
    this.highestSacked = start;
  }

  /** RFC 6675 §3, "pipe". */
  get inFlight(): number {
    return this.packetsOut - this.sackedOut - this.lostOut + this.retransmittedOut;
  }

  get inSlowStart(): boolean {
    return this.congestionWindow < this.slowStartThreshold;
  }

  get inReduction(): boolean {
    return this.state === 'reduction' || this.state === 'recovery';
  }

  /** What to come back to if there was no loss after all: not less than three quarters of the window. */
  get currentThreshold(): number {
    if (this.inReduction) return this.slowStartThreshold;
    return Math.max(this.slowStartThreshold, (this.congestionWindow >> 1) + (this.congestionWindow >> 2));
  }

  /** Only a window that is used may grow (RFC 7661); in slow start, one that is used by half. */
  get mayGrow(): boolean {
    return this.windowLimited || (this.inSlowStart && this.congestionWindow < 2 * this.packetsOutMax);
  }

  /** A segment that arrived was overtaken by later ones: reordering, and this is how far it reaches. */
  noteReordering(overtaken: ByteSequence): void {
    if (overtaken >= this.highestSacked) return;
    const segments = Math.ceil((this.highestSacked - overtaken) / this.segmentBytes);
    this.reordering = Math.min(Math.max(this.reordering, segments), REORDERING_MAX);
    this.reorderingSeen = true;
  }

  /** @param newest of the segment that was sent last; `measured`, of the one that was sent first. */
  noteRoundTrip(now: Instant, newest: Microseconds, measured: Microseconds): void {
    this.roundTrip.noteMinimum(now, newest);
    this.roundTrip.update(measured, this.unacknowledged, this.next);
  }
}
