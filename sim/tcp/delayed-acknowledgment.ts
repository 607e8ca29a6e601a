import {
  earliest,
  type Instant,
  instant,
  type Microseconds,
  microseconds,
  milliseconds,
} from '../../protocol/base/units.ts';
import { expiryAt } from './timer-tick.ts';

/** `TCP_ATO_MIN` and `TCP_DELACK_MAX`, microseconds. */
const DELAY_MIN: Microseconds = milliseconds(40);
const DELAY_MAX: Microseconds = milliseconds(200);
/** `TCP_MAX_QUICKACKS`: number of undelayed acknowledgments at the start of a connection and after a duplicate. */
const QUICK_MAX = 16;
/** Number of duplicate acknowledgments sent at once before compression starts (`tcp_comp_sack_…`). */
const IMMEDIATE_DUPLICATES = 3;
const COMPRESSION_MAX: Microseconds = milliseconds(1);
const COMPRESSED_MAX = 44;

/**
 * Decides when to acknowledge (RFC 5681 §4.2, with the heuristics of Linux): every second full segment; at once for
 * out-of-order data and for the end of a write that was read; otherwise after a delay that adapts to the arrival rate.
 */
export class DelayedAcknowledgment {
  readonly #tick: Microseconds;
  #delay: Microseconds = microseconds(0);
  #quick = 0;
  #lastAt: Instant = instant(0);
  #timerAt: Instant | undefined;
  #compressedAt: Instant | undefined;
  #compressed = 0;
  #duplicates = 0;
  #due = false;

  constructor(tick: Microseconds) {
    this.#tick = tick;
  }

  /** True when an acknowledgment must be sent now. */
  get due(): boolean {
    return this.#due;
  }

  get timerAt(): Instant | undefined {
    if (this.#timerAt === undefined || this.#compressedAt === undefined) return this.#timerAt ?? this.#compressedAt;
    return earliest(this.#timerAt, this.#compressedAt);
  }

  /**
   * Adapts the delay to a data arrival. @param timeout our retransmission timeout; a longer gap restarts quick mode.
   */
  noteArrival(now: Instant, timeout: Microseconds): void {
    if (this.#delay === 0) {
      this.#quick = QUICK_MAX;
      this.#delay = DELAY_MIN;
    } else {
      const gap = now - this.#lastAt;
      if (gap <= DELAY_MIN / 2) this.#delay = microseconds((this.#delay >> 1) + DELAY_MIN / 2);
      else if (gap < this.#delay) this.#delay = microseconds(Math.min((this.#delay >> 1) + gap, timeout));
      else if (gap > timeout) this.#quick = QUICK_MAX;
    }
    this.#lastAt = now;
  }

  /** Enters quick mode because the peer retransmits: our acknowledgments are missing. */
  enterQuickMode(): void {
    this.#quick = QUICK_MAX;
    this.#delay = DELAY_MIN;
  }

  acknowledgeNow(): void {
    this.#due = true;
  }

  /** In-order data, less than two full segments so far. */
  acknowledgeSoon(now: Instant, roundTrip: Microseconds): void {
    if (this.#quick > 0) {
      this.#due = true;
      return;
    }
    let delay = this.#delay;
    if (delay > DELAY_MIN) delay = microseconds(Math.min(delay, Math.max(roundTrip, DELAY_MIN), DELAY_MAX));
    // A timer about to expire is not worth the wait.
    if (this.#timerAt !== undefined && this.#timerAt <= now + (delay >> 2)) this.#due = true;
    else this.#timerAt = instant(Math.min(this.#timerAt ?? Number.POSITIVE_INFINITY, expiryAt(now, delay, this.#tick)));
  }

  /** Data beyond a gap. @param advanced true when the first missing byte has changed since the last call. */
  acknowledgeGap(now: Instant, advanced: boolean, roundTrip: Microseconds): void {
    if (advanced) this.#duplicates = 0;
    if (this.#duplicates < IMMEDIATE_DUPLICATES || this.#compressed >= COMPRESSED_MAX) {
      this.#duplicates++;
      this.#due = true;
      return;
    }
    this.#compressed++;
    this.#compressedAt ??= instant(now + Math.min(COMPRESSION_MAX, Math.floor(roundTrip / 20)));
  }

  handleTimeout(now: Instant): void {
    if (this.#compressedAt !== undefined && this.#compressedAt <= now) this.#due = true;
    if (this.#timerAt === undefined || this.#timerAt > now) return;
    // The timer expired before more data: double the delay (`tcp_delack_timer_handler`).
    this.#delay = microseconds(Math.min(this.#delay * 2, Math.max(DELAY_MAX, DELAY_MIN)));
    this.#due = true;
  }

  noteSent(): void {
    this.#due = false;
    this.#timerAt = undefined;
    this.#compressedAt = undefined;
    this.#compressed = 0;
    if (this.#quick > 0) this.#quick--;
  }
}
