import type { Instant, Microseconds } from '../../protocol/instant.ts';
import type { ByteSequence } from './byte-sequence.ts';
import { type Flow, INITIAL_WINDOW } from './flow.ts';

/**
 * A window that is not used says nothing about the path (RFC 2861, `tcp_cwnd_validate`): it shrinks while the application
 * sends less, and after a pause (`net.ipv4.tcp_slow_start_after_idle`).
 */
export class WindowValidation {
  readonly #flow: Flow;
  #usageEnd: ByteSequence;
  #used = 0;
  #usedAt: Instant = 0;

  constructor(flow: Flow) {
    this.#flow = flow;
    this.#usageEnd = flow.next;
  }

  /** The window was set to something new. */
  noteWindowSet(now: Instant): void {
    this.#usedAt = now;
  }

  /** After each round of sending. @param limited whether the window held something back. */
  noteSending(now: Instant, limited: boolean, timeout: Microseconds, shrinks: boolean): void {
    const flow = this.#flow;
    if (flow.unacknowledged >= this.#usageEnd || limited || flow.packetsOut > flow.packetsOutMax) {
      flow.windowLimited = limited;
      flow.packetsOutMax = flow.packetsOut;
      this.#usageEnd = flow.next;
    }
    if (flow.mayGrow) {
      this.#used = 0;
      this.#usedAt = now;
      return;
    }
    this.#used = Math.max(this.#used, flow.packetsOut);
    if (shrinks && now - this.#usedAt >= timeout) this.#shrink(now);
  }

  /** Something is written, and nothing was in flight since `flow.lastSentAt`. */
  noteRestart(now: Instant, timeout: Microseconds): void {
    const flow = this.#flow;
    let idle = now - flow.lastSentAt;
    if (idle <= timeout) return;
    flow.slowStartThreshold = flow.currentThreshold;
    const least = Math.min(INITIAL_WINDOW, flow.congestionWindow);
    let window = flow.congestionWindow;
    for (idle -= timeout; idle > 0 && window > least; idle -= timeout) window >>= 1;
    flow.congestionWindow = Math.max(window, least);
    this.#usedAt = now;
    this.#used = 0;
  }

  #shrink(now: Instant): void {
    const flow = this.#flow;
    if (flow.state === 'open') {
      const used = Math.max(this.#used, INITIAL_WINDOW);
      if (used < flow.congestionWindow) {
        flow.slowStartThreshold = flow.currentThreshold;
        flow.congestionWindow = (flow.congestionWindow + used) >> 1;
      }
      this.#used = 0;
    }
    this.#usedAt = now;
  }
}
