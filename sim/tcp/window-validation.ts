import type { Instant, Microseconds } from '../../protocol/base/units.ts';
import type { ByteSequence } from './byte-sequence.ts';
import { type Flow, INITIAL_WINDOW } from './flow.ts';

/**
 * Congestion window validation (RFC 2861, RFC 7661, `tcp_cwnd_validate`): an unused window does not grow, and shrinks
 * after idle time (`net.ipv4.tcp_slow_start_after_idle`). A window that is only partly used keeps its size: measured on
 * Linux 6.18, although RFC 2861 and the kernel source would halve the difference per timeout.
 */
export class WindowValidation {
  readonly #flow: Flow;
  #usageEnd: ByteSequence;

  constructor(flow: Flow) {
    this.#flow = flow;
    this.#usageEnd = flow.next;
  }

  /** Called after each round of transmissions. @param limited true when the window limited it. */
  noteSending(limited: boolean): void {
    const flow = this.#flow;
    const busiest = !flow.windowLimited && flow.packetsOut > flow.packetsOutMax;
    if (flow.unacknowledged >= this.#usageEnd || limited || busiest) {
      flow.windowLimited = limited;
      flow.packetsOutMax = flow.packetsOut;
      this.#usageEnd = flow.next;
    }
  }

  /** Called for a write with nothing in flight since `flow.lastSentAt`. */
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
