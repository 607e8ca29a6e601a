import type { Instant, Microseconds } from '../../protocol/base/instant.ts';
import type { ByteSequence } from './byte-sequence.ts';
import { type Flow, INITIAL_WINDOW } from './flow.ts';

/**
 * A window that is not used says nothing about the path (RFC 2861, RFC 7661, `tcp_cwnd_validate`): it does not grow, and
 * shrinks after a pause (`net.ipv4.tcp_slow_start_after_idle`). While the application only sends less it stays as it is: so
 * Linux 6.18 was seen to do, though RFC 2861 and its own source would have it halve the difference each timeout.
 */
export class WindowValidation {
  readonly #flow: Flow;
  #usageEnd: ByteSequence;

  constructor(flow: Flow) {
    this.#flow = flow;
    this.#usageEnd = flow.next;
  }

  /** After each round of sending. @param limited whether the window held something back. */
  noteSending(limited: boolean): void {
    const flow = this.#flow;
    const busiest = !flow.windowLimited && flow.packetsOut > flow.packetsOutMax;
    if (flow.unacknowledged >= this.#usageEnd || limited || busiest) {
      flow.windowLimited = limited;
      flow.packetsOutMax = flow.packetsOut;
      this.#usageEnd = flow.next;
    }
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
  }
}
