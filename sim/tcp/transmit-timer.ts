import type { Instant, Microseconds } from '../../protocol/base/instant.ts';
import type { Flow } from './flow.ts';
import type { RetransmissionQueue } from './retransmission-queue.ts';
import { RETRANSMISSION_TIMEOUT_MAX, RETRANSMISSION_TIMEOUT_MIN } from './round-trip-estimator.ts';
import { ringsAt } from './timer-tick.ts';

/**
 * Why the timer rings: the retransmission timeout (RFC 6298), a tail-loss probe (RFC 8985 §7), the end of the reordering
 * window (RFC 8985 §6.2), or a closed receive window to ask about (RFC 9293 §3.8.6.1).
 */
export type TimerCause = 'retransmission' | 'tail-probe' | 'reordering' | 'window-probe';

/** `TCP_TIMEOUT_MIN`: two of Linux' milliseconds. */
const WAIT_MIN: Microseconds = 2_000;

/** One timer for all four, as in Linux: setting one replaces the other. */
export class TransmitTimer {
  readonly #flow: Flow;
  readonly #queue: RetransmissionQueue;
  readonly #tick: Microseconds;
  #cause: TimerCause | undefined;
  #at: Instant | undefined;
  /** By how many doublings the retransmission timeout is longer than measured. */
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
    return Math.min(this.#flow.roundTrip.timeout * 2 ** this.#backOff, RETRANSMISSION_TIMEOUT_MAX);
  }

  /** A round trip was measured: what is known is right again. */
  endBackOff(): void {
    this.#backOff = 0;
  }

  clear(): void {
    this.#cause = undefined;
    this.#at = undefined;
  }

  /** Why it rings now, if it does; it is cleared then. */
  take(now: Instant): TimerCause | undefined {
    if (this.#at === undefined || this.#at > now) return undefined;
    const cause = this.#cause;
    this.clear();
    return cause;
  }

  /** Something was acknowledged: a probe if there may be one, else the timeout. */
  restart(now: Instant): void {
    if (!this.scheduleTailProbe(now, true)) this.restartRetransmission(now);
  }

  /** A timeout passed: the next one takes twice as long (RFC 6298 §5.5). */
  backOff(now: Instant): void {
    this.#backOff++;
    this.setRetransmission(now);
  }

  setRetransmission(now: Instant): void {
    this.#set('retransmission', now, this.retransmissionTimeout);
  }

  setReordering(now: Instant, wait: Microseconds): void {
    this.#set('reordering', now, wait + WAIT_MIN);
  }

  /** @param probes how many were not answered. */
  setWindowProbe(now: Instant, probes: number): void {
    const wait = Math.min(this.#flow.roundTrip.timeout * 2 ** probes, RETRANSMISSION_TIMEOUT_MAX);
    this.#set('window-probe', now, wait);
  }

  /** The probe comes after two round trips, or in the stead of an earlier timeout (RFC 8985 §7.2). */
  scheduleTailProbe(now: Instant, timerRestarts: boolean): boolean {
    const { packetsOut, state, roundTrip } = this.#flow;
    if (packetsOut === 0 || (state !== 'open' && state !== 'reduction')) return false;
    let wait = this.retransmissionTimeout;
    // A single segment's acknowledgment may be delayed.
    const allowance = packetsOut === 1 ? RETRANSMISSION_TIMEOUT_MIN : WAIT_MIN;
    if (roundTrip.smoothed > 0) wait = 2 * roundTrip.smoothed + allowance;
    const untilTimeout = timerRestarts ? this.retransmissionTimeout : this.#untilTimeout(now);
    if (untilTimeout > 0) wait = Math.min(wait, untilTimeout);
    this.#set('tail-probe', now, wait);
    return true;
  }

  restartRetransmission(now: Instant): void {
    if (this.#flow.packetsOut === 0) {
      this.clear();
      return;
    }
    // The other two stood in its place: its time has been running since the head was sent.
    const stoodIn = this.#cause === 'reordering' || this.#cause === 'tail-probe';
    if (stoodIn) this.#set('retransmission', now, Math.max(this.#untilTimeout(now), 1));
    else this.setRetransmission(now);
  }

  #untilTimeout(now: Instant): Microseconds {
    return (this.#queue.head?.sentAt ?? now) + this.retransmissionTimeout - now;
  }

  #set(cause: TimerCause, now: Instant, wait: Microseconds): void {
    this.#cause = cause;
    this.#at = ringsAt(now, wait, this.#tick);
  }
}
