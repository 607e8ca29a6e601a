import type { Instant } from '../../protocol/instant.ts';

/**
 * Why the timer rings: the retransmission timeout (RFC 6298), a tail-loss probe (RFC 8985 §7), the end of the reordering
 * window (RFC 8985 §6.2), or a closed receive window to ask about (RFC 9293 §3.8.6.1).
 */
export type TimerCause = 'retransmission' | 'tail-probe' | 'reordering' | 'window-probe';

/** One timer for all four, as in Linux: setting one replaces the other. */
export class TransmitTimer {
  #cause: TimerCause | undefined;
  #at: Instant | undefined;

  get cause(): TimerCause | undefined {
    return this.#cause;
  }

  get at(): Instant | undefined {
    return this.#at;
  }

  set(cause: TimerCause, at: Instant): void {
    this.#cause = cause;
    this.#at = at;
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
}
