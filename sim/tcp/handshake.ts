import { elapsed, type Instant, instant, type Microseconds } from '../../protocol/base/units.ts';
import { RETRANSMISSION_TIMEOUT_INITIAL } from './round-trip-estimator.ts';

/** `tcp_syn_retries` and `tcp_synack_retries`. */
const RETRIES = { active: 6, passive: 5 } as const;

/** Timing of the SYN (active end) or SYN-ACK (passive end) and its retransmissions (RFC 9293 §3.5). */
export class Handshake {
  readonly #role: 'active' | 'passive';
  #opened: boolean;
  #pending = false;
  #timerAt: Instant | undefined;
  #firstAt: Instant = instant(0);
  #attempts = 0;

  constructor(role: 'active' | 'passive') {
    this.#role = role;
    this.#opened = role === 'passive';
  }

  /** True while the peer's SYN is still expected. */
  get isOpening(): boolean {
    return this.#opened && (this.#role === 'passive' ? this.#attempts === 0 : this.#timerAt !== undefined);
  }

  open(now: Instant): void {
    this.#opened = true;
    this.answer(now);
  }

  /** Sends this end's SYN. */
  answer(now: Instant): void {
    this.#firstAt = now;
    this.#attempt(now);
  }

  /** The peer repeated its SYN: ours was lost. */
  repeat(): void {
    this.#pending = true;
  }

  /** Number of SYN retransmissions. */
  get retries(): number {
    return Math.max(this.#attempts - 1, 0);
  }

  /** Returns whether a SYN is due, and clears the flag. */
  takeSend(): boolean {
    const pending = this.#pending;
    this.#pending = false;
    return pending;
  }

  pollTimeout(): Instant | undefined {
    return this.#timerAt;
  }

  handleTimeout(now: Instant): 'gave-up' | 'waits' {
    if (this.#timerAt === undefined || this.#timerAt > now) return 'waits';
    if (this.#attempts > RETRIES[this.#role]) {
      this.#timerAt = undefined;
      return 'gave-up';
    }
    this.#attempt(now);
    return 'waits';
  }

  /**
   * The handshake completes. Returns the round-trip time, microseconds; `undefined` when the SYN was sent more than
   * once.
   */
  finish(now: Instant): Microseconds | undefined {
    this.#timerAt = undefined;
    return this.#attempts === 1 ? elapsed(this.#firstAt, now) : undefined;
  }

  #attempt(now: Instant): void {
    this.#pending = true;
    this.#timerAt = instant(now + RETRANSMISSION_TIMEOUT_INITIAL * 2 ** this.#attempts);
    this.#attempts++;
  }
}
