import type { Instant, Microseconds } from '../../protocol/base/instant.ts';
import { ringsAt } from './timer-tick.ts';

/** `TCP_ATO_MIN` and `TCP_DELACK_MAX`. */
const DELAY_MIN: Microseconds = 40_000;
const DELAY_MAX: Microseconds = 200_000;
/** `TCP_MAX_QUICKACKS`: the first acknowledgments of a connection, and those after a duplicate, are not delayed. */
const QUICK_MAX = 16;
/** So many duplicate acknowledgments leave at once; after that they are collected (`tcp_comp_sack_…`). */
const IMMEDIATE_DUPLICATES = 3;
const COMPRESSION_MAX: Microseconds = 1_000;
const COMPRESSED_MAX = 44;

/**
 * When to acknowledge (RFC 5681 §4.2, with Linux' ideas of it): every second full segment, at once what is out of order
 * or ends a write that was read, and otherwise after a delay that follows the pace of arrivals.
 */
export class DelayedAcknowledgment {
  readonly #tick: Microseconds;
  #delay: Microseconds = 0;
  #quick = 0;
  #lastAt: Instant = 0;
  #timerAt: Instant | undefined;
  #compressedAt: Instant | undefined;
  #compressed = 0;
  #duplicates = 0;
  #due = false;

  constructor(tick: Microseconds) {
    this.#tick = tick;
  }

  /** One has to leave now. */
  get due(): boolean {
    return this.#due;
  }

  get timerAt(): Instant | undefined {
    if (this.#timerAt === undefined || this.#compressedAt === undefined) return this.#timerAt ?? this.#compressedAt;
    return Math.min(this.#timerAt, this.#compressedAt);
  }

  /** Data came. @param timeout our own retransmission timeout: a longer silence begins anew. */
  noteArrival(now: Instant, timeout: Microseconds): void {
    if (this.#delay === 0) {
      this.#quick = QUICK_MAX;
      this.#delay = DELAY_MIN;
    } else {
      const gap = now - this.#lastAt;
      if (gap <= DELAY_MIN / 2) this.#delay = (this.#delay >> 1) + DELAY_MIN / 2;
      else if (gap < this.#delay) this.#delay = Math.min((this.#delay >> 1) + gap, timeout);
      else if (gap > timeout) this.#quick = QUICK_MAX;
    }
    this.#lastAt = now;
  }

  /** The other end repeats itself: it misses our acknowledgments. */
  enterQuickMode(): void {
    this.#quick = QUICK_MAX;
    this.#delay = DELAY_MIN;
  }

  acknowledgeNow(): void {
    this.#due = true;
  }

  /** In order, and less than two segments so far. */
  acknowledgeSoon(now: Instant, roundTrip: Microseconds): void {
    if (this.#quick > 0) {
      this.#due = true;
      return;
    }
    let delay = this.#delay;
    if (delay > DELAY_MIN) delay = Math.min(delay, Math.max(roundTrip, DELAY_MIN), DELAY_MAX);
    // One that is about to leave need not wait any more.
    if (this.#timerAt !== undefined && this.#timerAt <= now + (delay >> 2)) this.#due = true;
    else this.#timerAt = Math.min(this.#timerAt ?? Number.POSITIVE_INFINITY, ringsAt(now, delay, this.#tick));
  }

  /** Beyond a gap. @param advanced whether the first missing byte is another one than last time. */
  acknowledgeGap(now: Instant, advanced: boolean, roundTrip: Microseconds): void {
    if (advanced) this.#duplicates = 0;
    if (this.#duplicates < IMMEDIATE_DUPLICATES || this.#compressed >= COMPRESSED_MAX) {
      this.#duplicates++;
      this.#due = true;
      return;
    }
    this.#compressed++;
    this.#compressedAt ??= now + Math.min(COMPRESSION_MAX, Math.floor(roundTrip / 20));
  }

  handleTimeout(now: Instant): void {
    if (this.#compressedAt !== undefined && this.#compressedAt <= now) this.#due = true;
    if (this.#timerAt === undefined || this.#timerAt > now) return;
    // The sender was slower than thought: `tcp_delack_timer_handler` doubles the delay.
    this.#delay = Math.min(this.#delay * 2, Math.max(DELAY_MAX, DELAY_MIN));
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
