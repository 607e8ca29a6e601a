import type { Instant, Microseconds } from '../../protocol/base/instant.ts';
import { RETRANSMISSION_TIMEOUT_INITIAL } from './round-trip-estimator.ts';

/** `tcp_syn_retries` and `tcp_synack_retries`. */
const RETRIES = { active: 6, passive: 5 } as const;

/** When a SYN goes out, and how often (RFC 9293 §3.5): the active end's, or the passive end's with its acknowledgment. */
export class Handshake {
  readonly #role: 'active' | 'passive';
  #opened: boolean;
  #pending = false;
  #timerAt: Instant | undefined;
  #firstAt: Instant = 0;
  #attempts = 0;

  constructor(role: 'active' | 'passive') {
    this.#role = role;
    this.#opened = role === 'passive';
  }

  /** The other's SYN would be news. */
  get isOpening(): boolean {
    return this.#opened && (this.#role === 'passive' ? this.#attempts === 0 : this.#timerAt !== undefined);
  }

  open(now: Instant): void {
    this.#opened = true;
    this.answer(now);
  }

  /** Sends the SYN of this end. */
  answer(now: Instant): void {
    this.#firstAt = now;
    this.#attempt(now);
  }

  /** The other end asked again: our SYN was lost. */
  repeat(): void {
    this.#pending = true;
  }

  /** How often the SYN had to be repeated. */
  get retries(): number {
    return Math.max(this.#attempts - 1, 0);
  }

  /** Whether a SYN is to be sent now; asking takes it. */
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

  /** It was answered. The round trip; `undefined`: it was sent more than once, so nothing was measured. */
  finish(now: Instant): Microseconds | undefined {
    this.#timerAt = undefined;
    return this.#attempts === 1 ? now - this.#firstAt : undefined;
  }

  #attempt(now: Instant): void {
    this.#pending = true;
    this.#timerAt = now + RETRANSMISSION_TIMEOUT_INITIAL * 2 ** this.#attempts;
    this.#attempts++;
  }
}
