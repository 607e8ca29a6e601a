import { type Instant, type Microseconds, microseconds, milliseconds } from '../../protocol/base/units.ts';
import type { Flow } from './flow.ts';
import type { RetransmissionQueue } from './retransmission-queue.ts';
import { RETRANSMISSION_TIMEOUT_MAX, RETRANSMISSION_TIMEOUT_MIN } from './round-trip-estimator.ts';
import { expiryAt } from './timer-tick.ts';

/**
 * Purpose of the timer: retransmission timeout (RFC 6298), tail loss probe (RFC 8985 §7), end of the reordering window
 * (RFC 8985 §6.2), or window probe (RFC 9293 §3.8.6.1).
 */
export type TimerCause = 'retransmission' | 'tail-probe' | 'reordering' | 'window-probe';

/** `TCP_TIMEOUT_MIN`: two jiffies at 1000 Hz, microseconds. */
const WAIT_MIN: Microseconds = milliseconds(2);

/** A single timer for all purposes, as in Linux: setting one replaces another. */
export class TransmitTimer {
  readonly #flow: Flow;
  readonly #queue: RetransmissionQueue;
  readonly #tick: Microseconds;
  #cause: TimerCause | undefined;
  #at: Instant | undefined;
  /** Number of doublings of the retransmission timeout. */
  #backOff = 0;

  constructor(flow: Flow, queue: RetransmissionQueue, tick: Microseconds) {
    this.#flow = flow;
    this.#queue = queue;
    this.#tick = tick;
  }

  get cause(): TimerCause | undefined {
    return this.#cause;
  }

  get at(): Instant | undefined {
    return this.#at;
  }

  get retransmissionTimeout(): Microseconds {
    return microseconds(Math.min(this.#flow.roundTrip.timeout * 2 ** this.#backOff, RETRANSMISSION_TIMEOUT_MAX));
  }

  /** Ends the back-off after a new round-trip sample. */
  endBackOff(): void {
    this.#backOff = 0;
  }

  clear(): void {
    this.#cause = undefined;
    this.#at = undefined;
  }

  /** Returns the purpose of an expired timer and clears it; `undefined` when none has expired. */
  take(now: Instant): TimerCause | undefined {
    if (this.#at === undefined || this.#at > now) return undefined;
    const cause = this.#cause;
    this.clear();
    return cause;
  }

  /** After an acknowledgment: schedules a probe if allowed, else the retransmission timeout. */
  restart(now: Instant): void {
    if (!this.scheduleTailProbe(now, true)) this.restartRetransmission(now);
  }

  /** Doubles the timeout after an expiry (RFC 6298 §5.5). */
  backOff(now: Instant): void {
    this.#backOff++;
    this.setRetransmission(now);
  }

  setRetransmission(now: Instant): void {
    this.#set('retransmission', now, this.retransmissionTimeout);
  }

  setReordering(now: Instant, wait: Microseconds): void {
    this.#set('reordering', now, microseconds(wait + WAIT_MIN));
  }

  /** @param probes number of unanswered probes. */
  setWindowProbe(now: Instant, probes: number): void {
    const wait = microseconds(Math.min(this.#flow.roundTrip.timeout * 2 ** probes, RETRANSMISSION_TIMEOUT_MAX));
    this.#set('window-probe', now, wait);
  }

  /**
   * Schedules a tail loss probe after two round trips, or at the retransmission timeout if that is earlier (RFC 8985
   * §7.2). Returns false when no probe is allowed.
   */
  scheduleTailProbe(now: Instant, timerRestarts: boolean): boolean {
    const { packetsOut, state, roundTrip } = this.#flow;
    if (packetsOut === 0 || (state !== 'open' && state !== 'reduction')) return false;
    let wait = this.retransmissionTimeout;
    // The acknowledgment of a single segment may be delayed.
    const allowance = packetsOut === 1 ? RETRANSMISSION_TIMEOUT_MIN : WAIT_MIN;
    if (roundTrip.smoothed > 0) wait = microseconds(2 * roundTrip.smoothed + allowance);
    const untilTimeout = timerRestarts ? this.retransmissionTimeout : this.#untilTimeout(now);
    if (untilTimeout > 0) wait = microseconds(Math.min(wait, untilTimeout));
    this.#set('tail-probe', now, wait);
    return true;
  }

  restartRetransmission(now: Instant): void {
    if (this.#flow.packetsOut === 0) {
      this.clear();
      return;
    }
    // After a reordering or probe timer, the timeout still counts from the transmission of the head.
    const replacedTimeout = this.#cause === 'reordering' || this.#cause === 'tail-probe';
    if (replacedTimeout) this.#set('retransmission', now, microseconds(Math.max(this.#untilTimeout(now), 1)));
    else this.setRetransmission(now);
  }

  #untilTimeout(now: Instant): Microseconds {
    return microseconds((this.#queue.head?.sentAt ?? now) + this.retransmissionTimeout - now);
  }

  #set(cause: TimerCause, now: Instant, wait: Microseconds): void {
    this.#cause = cause;
    this.#at = expiryAt(now, wait, this.#tick);
  }
}
