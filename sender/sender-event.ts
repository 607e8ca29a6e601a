import type { CircuitBreakerNotice } from './rate/circuit-breaker.ts';

/** Events of a sender: requests and reports of its receiver, changes of its circuit breaker and of its reports, and datagrams that are not RTCP. */
export type SenderEvent =
  | { readonly kind: 'keyframe-requested' }
  | ({ readonly kind: 'circuit-breaker' } & CircuitBreakerNotice)
  | { readonly kind: 'reports'; readonly change: 'missing' | 'back' }
  | { readonly kind: 'receiver-left' }
  | { readonly kind: 'malformed'; readonly cause: string };

/** Limit of unpolled events. Never reached in practice, because a driver polls after every call. */
const EVENTS_MAX = 1024;

/** Queue of unpolled events. */
export class SenderEventQueue {
  readonly #events: SenderEvent[] = [];

  push(event: SenderEvent): void {
    if (this.#events.length < EVENTS_MAX) this.#events.push(event);
  }

  poll(): SenderEvent | undefined {
    return this.#events.shift();
  }
}
