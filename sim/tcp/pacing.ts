import type { Instant } from '../../protocol/base/instant.ts';
import type { Flow } from './flow.ts';

/** A connection's first segments leave as they come (`tcp_update_skb_after_send`). */
const UNPACED_SEGMENTS = 10;

/** When the next burst may leave (`tcp_internal_pacing`). Does nothing as long as the flow has no pacing rate. */
export class Pacing {
  readonly #flow: Flow;
  /** Fractions of a microsecond matter at high rates. */
  #nextAt = 0;
  #blocked = false;
  #segments = 0;

  constructor(flow: Flow) {
    this.#flow = flow;
  }

  /** Whether to wait; if so, `wakeAt` is when the waiting is over. */
  holdsBack(now: Instant): boolean {
    this.#blocked = this.#flow.pacingRate > 0 && this.#nextAt > now;
    return this.#blocked;
  }

  get wakeAt(): Instant | undefined {
    return this.#blocked ? Math.ceil(this.#nextAt) : undefined;
  }

  /** The waiting is over; whoever still has something to send asks again. */
  wake(): void {
    this.#blocked = false;
  }

  noteSent(now: Instant, { segments, bytes }: { readonly segments: number; readonly bytes: number }): void {
    this.#segments += segments;
    if (this.#flow.pacingRate === 0 || this.#segments < UNPACED_SEGMENTS) return;
    const late = Math.max(now - this.#nextAt, 0);
    const span = (bytes * 1_000_000) / this.#flow.pacingRate;
    // A burst that left late shortens the wait for the next, by half at most.
    this.#nextAt = Math.max(this.#nextAt, now) + span - Math.min(span / 2, late);
  }
}
