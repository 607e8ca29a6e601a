import { type Instant, instant, timeFor } from '../../protocol/base/units.ts';
import type { Flow } from './flow.ts';

/** The first segments of a connection are not paced (`tcp_update_skb_after_send`). */
const UNPACED_SEGMENTS = 10;

/** Decides when the next burst may leave (`tcp_internal_pacing`). Inactive while the flow has no pacing rate. */
export class Pacing {
  readonly #flow: Flow;
  /** Send time of the next burst; fractions of a microsecond matter at high rates. */
  #nextAt = 0;
  #blocked = false;
  #segments = 0;

  constructor(flow: Flow) {
    this.#flow = flow;
  }

  /** Returns true when the sender must wait until `wakeAt`. */
  holdsBack(now: Instant): boolean {
    this.#blocked = this.#flow.pacingRate > 0 && this.#nextAt > now;
    return this.#blocked;
  }

  get wakeAt(): Instant | undefined {
    return this.#blocked ? instant(Math.ceil(this.#nextAt)) : undefined;
  }

  /** Ends the wait; a sender with more data asks again. */
  wake(): void {
    this.#blocked = false;
  }

  noteSent(now: Instant, { segments, bytes }: { readonly segments: number; readonly bytes: number }): void {
    this.#segments += segments;
    if (this.#flow.pacingRate === 0 || this.#segments < UNPACED_SEGMENTS) return;
    const late = Math.max(now - this.#nextAt, 0);
    const span = timeFor(bytes, this.#flow.pacingRate);
    // A late burst shortens the wait for the next one, by at most half.
    this.#nextAt = Math.max(this.#nextAt, now) + span - Math.min(span / 2, late);
  }
}
